import Crypto
import CryptoExtras
import Foundation

/// A key pair of an issuer, made for the test.
enum TestKey {
    case rsa(_RSA.Signing.PrivateKey)
    case p256(P256.Signing.PrivateKey)
    case ed25519(Curve25519.Signing.PrivateKey)

    /// RSA keys take a while to make.
    static let rsa = Result { try _RSA.Signing.PrivateKey(keySize: .bits2048) }
    static func make(_ algorithm: String) throws -> TestKey {
        switch algorithm {
        case "ES256": .p256(P256.Signing.PrivateKey())
        case "EdDSA": .ed25519(Curve25519.Signing.PrivateKey())
        default: .rsa(try rsa.get())
        }
    }

    func signature(_ text: String) throws -> Data {
        let data = Data(text.utf8)
        switch self {
        case .rsa(let key): return try key.signature(for: SHA256.hash(data: data), padding: .insecurePKCS1v1_5).rawRepresentation
        case .p256(let key): return try key.signature(for: data).rawRepresentation
        case .ed25519(let key): return try key.signature(for: data)
        }
    }

    func publicKey(_ kid: String?) throws -> [String: Any] {
        var fields: [String: Any]
        switch self {
        case .rsa(let key):
            let parts = try key.publicKey.getKeyPrimitives()
            fields = ["kty": "RSA", "n": base64(parts.modulus), "e": base64(parts.publicExponent)]
        case .p256(let key):
            let point = key.publicKey.rawRepresentation
            fields = ["kty": "EC", "crv": "P-256", "x": base64(point.prefix(32)), "y": base64(point.suffix(32))]
        case .ed25519(let key): fields = ["kty": "OKP", "crv": "Ed25519", "x": base64(key.publicKey.rawRepresentation)]
        }
        fields["kid"] = kid
        fields["use"] = "sig"
        return fields
    }

    /// What an attacker has who takes a public key for a secret.
    var publicText: Data {
        if case .rsa(let key) = self { return Data(key.publicKey.pemRepresentation.utf8) }
        return Data()
    }
}

func base64(_ data: Data) -> String {
    data.base64EncodedString().replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_").replacingOccurrences(
        of: "=", with: "")
}

/// An issuer on loopback, its keys, and the configuration that trusts it.
final class TestIssuer {
    let world: World
    let address: String
    private let server: Running
    private var folder: String { world.root + "/issuer" }
    var keys: [String: TestKey] = [:]

    /// The file of the system counts alone: where there is one, these tests say nothing.
    static let isPossible = Built.installed("python3") && !FileManager.default.fileExists(atPath: "/etc/sandbox/identity.yaml")

    init(_ world: World, algorithms: [String] = ["RS256"]) throws {
        self.world = world
        mkdir(world.root + "/issuer", 0o755)
        mkdir(world.root + "/issuer/.well-known", 0o755)
        server = try world.start(["python3", "\(Built.tools)/issuer.py", world.root + "/issuer"])
        guard let port = server.line() else { throw Trouble("the issuer did not start: \(server.finish(within: 1))") }
        address = "http://127.0.0.1:\(port)"
        for algorithm in algorithms { keys[algorithm] = try TestKey.make(algorithm) }
        try publish()
        try configure()
    }

    deinit { server.kill() }

    func stop() { server.kill() }

    /// What was asked for since the last look. The server has printed it before it answered.
    func asked() -> [String] {
        var paths: [String] = []
        while let path = server.line(within: 0.05) { paths.append(path) }
        return paths
    }

    func publish(issuer: String? = nil, keysAt: String? = nil) throws {
        try write(["issuer": issuer ?? address, "jwks_uri": keysAt ?? address + "/keys"], "/.well-known/openid-configuration")
        try write(["keys": try keys.map { try $1.publicKey($0) } + [["kty": "oct", "kid": "odd", "k": "AAAA"]]], "/keys")
    }

    private func write(_ object: [String: Any], _ path: String) throws {
        try JSONSerialization.data(withJSONObject: object).write(to: URL(fileURLWithPath: folder + path))
    }

    func serve(_ text: String, at path: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: folder + path)) }

    var keysFile: String { folder + "/keys" }

    /// `identity.yaml` in the home of the account. `text` in the place of all, `more` in the issuer's own mapping.
    func configure(_ text: String? = nil, algorithms: String = "[RS256, ES256, EdDSA]", source: String? = nil, more: String = "") throws {
        let path = world.home + "/.config/sandbox/identity.yaml"
        try FileManager.default.createDirectory(atPath: world.home + "/.config/sandbox", withIntermediateDirectories: true)
        let standard = """
            version: 1
            issuers:
              - issuer: \(address)
                audience: [sandbox]
                algorithms: \(algorithms)
                \(source ?? "discovery: \(address)")
                claims: { groups: groups, roles: roles }
                \(more)
            """
        try (text ?? standard).write(toFile: path, atomically: false, encoding: .utf8)
        chmod(path, 0o644)
    }

    // MARK: Tokens

    var claims: [String: Any] {
        let now = Int(Date().timeIntervalSince1970)
        return ["iss": address, "aud": "sandbox", "sub": "ada", "exp": now + 600, "iat": now, "groups": ["data-eng"], "roles": ["builder"]]
    }

    /// `change` may set a claim to nil.
    func token(_ algorithm: String = "RS256", header: [String: Any] = [:], _ change: [String: Any?] = [:]) throws -> String {
        let claims = claims.merging(change.compactMapValues { $0 }) { $1 }.filter { change[$0.key].map { $0 != nil } ?? true }
        guard let key = keys[algorithm] else { throw Trouble("no key for \(algorithm)") }
        let text = try unsigned(
            ["alg": algorithm, "kid": algorithm, "typ": "JWT"].merging(header) { $1 }.filter { !($1 is NSNull) }, claims)
        return text + "." + base64(try key.signature(text))
    }

    /// Claims as somebody else would write them.
    func token(claims change: (String) -> String = { $0 }, encoding: String.Encoding = .utf8) throws -> String {
        let usual = String(decoding: try JSONSerialization.data(withJSONObject: claims), as: UTF8.self)
        let body = change(usual).data(using: encoding) ?? Data(), header = Data("{\"alg\":\"RS256\",\"kid\":\"RS256\"}".utf8)
        let text = base64(header) + "." + base64(body)
        return text + "." + base64(try keys["RS256"]!.signature(text))
    }

    func unsigned(_ header: [String: Any], _ claims: [String: Any]) throws -> String {
        base64(try JSONSerialization.data(withJSONObject: header)) + "." + base64(try JSONSerialization.data(withJSONObject: claims))
    }

    /// Signed with a secret: one that is shared, or a public key that is taken for one.
    func symmetric(_ secret: Data, header: [String: Any] = ["alg": "HS256", "kid": "RS256"]) throws -> String {
        let text = try unsigned(header, claims)
        return text + "." + base64(Data(HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: SymmetricKey(data: secret))))
    }

    /// A run with that token in a file.
    func run(_ token: String, profile: String = "observe", options: [String] = [], _ command: [String] = ["echo", "ran"]) throws -> Outcome
    {
        let file = world.root + "/token"
        try Data((token + "\n").utf8).write(to: URL(fileURLWithPath: file))
        return try world.sandboxed(command, profile: profile, options: ["--token-file", file] + options)
    }

    func session() throws -> [String: Any] {
        let text = try world.native([Built.sandbox, "audit", "sessions", "--json"]).out
        return (text.split(separator: "\n").last).flatMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
            ?? [:]
    }
}
