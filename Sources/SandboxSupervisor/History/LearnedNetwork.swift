internal import Glibc
internal import SandboxModel
internal import SandboxPolicy

/// What of this machine a profile has words for.
struct LearningMachine {
    let nameservers = Set(HostTable.nameservers().map(\.canonicalDestination))
    /// Ports that the kernel hands out (ip(7)): the next run gets others.
    let handedOut: ClosedRange<UInt16>

    init() {
        var range: [UInt16] = []
        if let file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re") {
            defer { fclose(file) }
            var line = [CChar](repeating: 0, count: 64)
            if fgets(&line, 64, file) != nil {
                let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                range = text.split(whereSeparator: { !$0.isNumber }).compactMap { UInt16($0) }
            }
        }
        handedOut = range.count == 2 && range[0] <= range[1] ? range[0]...range[1] : 32_768...60_999
    }
}

/// Hosts and ports, to connect to and to listen on.
struct LearnedNetwork {
    private struct Key: Hashable {
        let isListening: Bool
        let host: Host
        let port: UInt16
    }
    private enum Host: Hashable {
        case name(String), address(IPAddress), abstract(String)
    }
    private var seen: [Key: Evidence] = [:]

    mutating func add(_ address: IPAddress, _ port: UInt16, _ name: String?, isListening: Bool, _ count: UInt64, by program: String) {
        // Nothing is reached there; the C library asks so which address of its own it would have.
        if port == 0, !isListening { return }
        let address = isListening ? address : address.canonicalDestination
        let host: Host = address.isLoopback ? .name("localhost") : name.map { .name($0) } ?? .address(address)
        seen[Key(isListening: isListening, host: host, port: port), default: Evidence()].add(count, by: program)
    }

    mutating func add(abstract name: String, isListening: Bool, _ count: UInt64, by program: String) {
        seen[Key(isListening: isListening, host: .abstract(name), port: 0), default: Evidence()].add(count, by: program)
    }

    func connects(_ machine: LearningMachine) -> [LearnedProfile.Entry] { entries(machine, isListening: false) }
    func listens(_ machine: LearningMachine) -> [LearnedProfile.Entry] { entries(machine, isListening: true) }

    private func entries(_ machine: LearningMachine, isListening: Bool) -> [LearnedProfile.Entry] {
        var lines: [String: Evidence] = [:]
        for (key, evidence) in seen where key.isListening == isListening { lines[text(key, machine), default: Evidence()].add(evidence) }
        return lines.sorted { $0.key < $1.key }.map { text, evidence in
            let isNameless = seen.keys.contains { key in
                if case .address = key.host { !isListening && self.text(key, machine) == text && !text.hasPrefix("$") } else { false }
            }
            return LearnedProfile.Entry(text, evidence.text(isPattern: false) + (isNameless ? "; its name is not on record" : ""))
        }
    }

    private func text(_ key: Key, _ machine: LearningMachine) -> String {
        let isLocal = key.host == .name("localhost") || key.isListening
        let port =
            isLocal && machine.handedOut.contains(key.port)
            ? "\(machine.handedOut.lowerBound)-\(machine.handedOut.upperBound)" : "\(key.port)"
        switch key.host {
        case .name(let name): return "\(name):\(port)"
        case .abstract(let name): return "unix:@\(name)"
        case .address(let address):
            if !key.isListening, key.port == 53, machine.nameservers.contains(address) { return "${nameservers}:53" }
            let text = String(describing: address)
            return (address.isV4 ? text : "[\(text)]") + ":" + port
        }
    }

    /// What a test may ask for.
    func examples(_ machine: LearningMachine) -> [String] {
        var found: Set<String> = []
        for key in seen.keys where !key.isListening {
            switch key.host {
            case .name(let name): found.insert("\(name):\(key.port)")
            case .address(let address) where !(key.port == 53 && machine.nameservers.contains(address)):
                let text = String(describing: address)
                found.insert((address.isV4 ? text : "[\(text)]") + ":\(key.port)")
            case .address, .abstract: break
            }
        }
        return found.sorted()
    }
}

/// The intents that a learned profile says no to where nothing meant them: what takes away, publishes, reaches far or stays.
enum LearnedIntents {
    private static let families = ["sql", "kv", "git", "pkg", "container", "kube", "infra", "cloud", "disk", "system"]
    static let candidates: IntentSet = families.reduce([.fileDelete, .procPrivilege, .procPersist, .netUpload, .netTunnel]) {
        $0.union(IntentSet(pattern: $1) ?? [])
    }

    /// A family by its name where all of it is there.
    static func names(of set: IntentSet) -> [String] {
        var names: [String] = [], rest = set
        for family in families {
            guard let all = IntentSet(pattern: family), all.isSubset(of: set) else { continue }
            names.append(family)
            rest.subtract(all)
        }
        return (names + rest.names).sorted()
    }
}

extension IntentSet {
    func minus(_ other: IntentSet) -> IntentSet {
        var set = self
        set.subtract(other)
        return set
    }
    func intersection(_ other: IntentSet) -> IntentSet { minus(minus(other)) }
}
