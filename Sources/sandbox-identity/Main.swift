internal import Glibc
internal import SandboxModel

/// `sandbox-identity STATE`: reads a token from standard input, checks it against `identity.yaml`, and says whom it names, or
/// why it is not believed (`VerifiedIdentity.answer`). A program of its own, so that `sandbox` holds neither cryptography nor HTTP
/// nor a parser of JSON.
@main
struct SandboxIdentity {
    private static let largest = 32 << 10

    static func main() async {
        guard CommandLine.arguments.count == 2 else {
            writeAll(Array("sandbox: sandbox-identity is started by `sandbox run`\n".utf8), to: STDERR_FILENO)
            exit(125)
        }
        let answer: Result<VerifiedIdentity, VerifiedIdentity.Refusal>
        do throws(VerifiedIdentity.Refusal) {
            answer = .success(try await check(state: CommandLine.arguments[1]))
        } catch { answer = .failure(error) }
        writeAll(Array(VerifiedIdentity.answer(answer).utf8), to: STDOUT_FILENO)
    }

    private static func check(state: String) async throws(VerifiedIdentity.Refusal) -> VerifiedIdentity {
        let configuration = try IdentityConfiguration.load()
        let cache = state + "/identity"
        // From here on bytes come that anybody may have written.
        try Confinement.enter(configuration.issuers, cache: cache)
        let token = try Token(try input())
        guard let issuer = configuration.issuers.first(where: { $0.name == token.issuer }) else {
            throw .init(
                "the token's issuer `\(token.issuer)` is not trusted",
                help: "\(configuration.file) trusts: " + configuration.issuers.map(\.name).joined(separator: ", "))
        }
        guard issuer.algorithms.contains(token.algorithm) else {
            throw .init(
                "the token is signed with `\(token.algorithm)`, which is not allowed for `\(issuer.name)`",
                help: "allowed: " + issuer.algorithms.joined(separator: ", "))
        }
        let key = try await KeySource(issuer, cache: cache).key(for: token)
        guard token.isSigned(by: key) else { throw .init("the token's signature does not fit the issuer's key `\(token.keyID ?? "")`") }
        return try Claims(token.payload).identity(from: issuer, now: Double(time(nil)))
    }

    private static func input() throws(VerifiedIdentity.Refusal) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(STDIN_FILENO, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .init("the token could not be read: \(String(cString: strerror(errno)).lowercased())") }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            if bytes.count > largest { throw .init("the token is larger than 32 KiB") }
        }
    }
}
