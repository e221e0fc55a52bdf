import SandboxModel
import SandboxYAML
@testable import SandboxPolicy

/// Profiles that exist only in a test.
struct FakeLookup: ProfileLookup {
    var files: [String: String]
    var names: [String] { files.keys.sorted() }
    func find(_ name: String, from: String?) throws(ProfileLookupFailure) -> ProfileSource? {
        files[name].map { ProfileSource(bytes: Array($0.utf8), file: name + ".yaml") }
    }
}

func load(_ text: String, _ others: [String: String] = [:]) throws(ProfileFailure) -> ResolvedProfile {
    try ProfileLoader.load(ProfileSource(bytes: Array(text.utf8), file: "p.yaml"), lookup: FakeLookup(files: others))
}

func errors(_ text: String, _ others: [String: String] = [:]) -> [String] {
    do throws(ProfileFailure) {
        _ = try load(text, others)
        return []
    } catch {
        return error.diagnostics.filter { $0.severity == .error }.map(\.description)
    }
}

func variables(
    protected: [ProtectedPath] = [], resolve: (([UInt8]) -> [UInt8]?)? = nil
) -> PolicyVariables {
    PolicyVariables(
        home: Array("/home/u".utf8), workspace: Array("/home/u/w".utf8), tmp: Array("/tmp/s1".utf8),
        nameservers: [IPAddress(v4: 0x0a00_0002)], protected: protected, resolve: resolve)
}

func policy(_ body: String, protected: [ProtectedPath] = [], resolve: (([UInt8]) -> [UInt8]?)? = nil) throws -> Policy {
    try Policy.compile(profile: load("version: 1\nname: p\n" + body), variables: variables(protected: protected, resolve: resolve))
}

extension Policy {
    func file(_ path: String, _ access: FileAccess = .read) -> String { say(judge(file: Array(path.utf8).span, access: access)) }
    func move(_ path: String) -> String { say(judge(renameOfDirectory: Array(path.utf8).span)) }
    func exec(_ path: String, as invoked: String? = nil) -> String {
        let resolved = Array(path.utf8), asked = Array((invoked ?? path).utf8)
        return say(judge(exec: resolved.span, invoked: asked.span))
    }
    func connect(_ address: String, _ port: UInt16, _ transport: Transport = .tcp, _ names: [Int] = []) -> String {
        say(judge(connect: IPAddress(parsing: address)!, port: port, transport: transport, names: HostSet(names)))
    }
    func listen(_ address: String, _ port: UInt16) -> String {
        say(judge(listen: IPAddress(parsing: address)!, port: port, transport: .tcp))
    }
    func unix(_ path: String) -> String { say(judge(unixConnect: Array(path.utf8).span)) }
    func abstract(_ name: String) -> String { say(judge(abstract: Array(name.utf8).span)) }

    func abstractListen(_ name: String) -> String { say(judge(abstractListen: Array(name.utf8).span)) }
    func admits(_ identity: String) -> Bool { admits(identity: Array(identity.utf8).span) }

    func say(_ ruling: Ruling) -> String { "\(ruling.decision.name) \(rule(ruling.rule).name)" }
}

/// The same numbers on every run (SplitMix64).
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }
}
