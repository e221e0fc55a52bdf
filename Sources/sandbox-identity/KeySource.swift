internal import Crypto
internal import FoundationEssentials
internal import Glibc
internal import JWTKit
internal import SandboxFiles
internal import SandboxModel

/// Where the key that fits a token comes from.
struct KeySource {
    private let issuer: Issuer
    /// A folder of the state directory: no session can reach it.
    private let cache: String

    init(_ issuer: Issuer, cache: String) {
        self.issuer = issuer
        self.cache = cache
    }

    func key(for token: Token) async throws(VerifiedIdentity.Refusal) -> any JWTAlgorithm {
        switch issuer.keys {
        case .secret(let file): return try await secret(file, token.algorithm)
        case .file(let file):
            guard let key = try await KeySet(try trusted(file), from: file).key(for: token) else { throw unknown(token, file) }
            return key
        case .discovery(let address):
            if let known = remembered(address), let key = try await KeySet(known, from: address).key(for: token) { return key }
            // Too old, or a key that came after them: keys are exchanged. Once, whatever the token says.
            let (fresh, place) = try fetch(address)
            guard let key = try await KeySet(fresh, from: place).key(for: token) else { throw unknown(token, place) }
            return key
        }
    }

    private func unknown(_ token: Token, _ place: String) -> VerifiedIdentity.Refusal {
        let kid = token.keyID.map { "`\($0)`" } ?? "of no name (no `kid`)"
        return .init("the token is signed with a key \(kid) that `\(place)` does not have for `\(token.algorithm)`")
    }

    private func trusted(_ file: String, isSecret: Bool = false) throws(VerifiedIdentity.Refusal) -> [UInt8] {
        do throws(TrustedFileFailure) {
            if let bytes = try TrustedFile.read(file, isSecret: isSecret) { return bytes }
        } catch { throw .init(error.message, help: error.help) }
        throw .init("there is no `\(file)`", help: "`identity.yaml` names it for `\(issuer.name)`")
    }

    private func secret(_ file: String, _ algorithm: String) async throws(VerifiedIdentity.Refusal) -> any JWTAlgorithm {
        var bytes = try trusted(file, isSecret: true)
        while let last = bytes.last, last == 0x0a || last == 0x0d { bytes.removeLast() }
        let (digest, size): (DigestAlgorithm, Int) =
            algorithm == "HS512" ? (.sha512, 64) : algorithm == "HS384" ? (.sha384, 48) : (.sha256, 32)
        guard bytes.count >= size else { throw .init("the secret in `\(file)` is shorter than the \(size) bytes that \(algorithm) wants") }
        let keys = await JWTKeyCollection().add(hmac: HMACKey(from: bytes), digestAlgorithm: digest)
        do { return try await keys.getKey() } catch { throw .init("the secret in `\(file)` is no key") }
    }

    // MARK: Discovery

    private struct Discovery: Decodable {
        let issuer: String
        let jwks_uri: String
    }

    /// OpenID Connect Discovery 1.0, section 4: what the document calls itself must be whom we trust.
    private func fetch(_ address: String) throws(VerifiedIdentity.Refusal) -> (keys: [UInt8], place: String) {
        let suffix = "/.well-known/openid-configuration"
        let document =
            address.contains("/.well-known/") ? address : (address.hasSuffix("/") ? String(address.dropLast()) : address) + suffix
        let bytes = try Fetch.get(document)
        guard let found = try? JSONDecoder().decode(Discovery.self, from: Data(bytes)) else {
            throw .init("`\(document)` is no discovery document (`issuer` and `jwks_uri` are wanted)")
        }
        guard found.issuer == issuer.name else {
            throw .init("`\(document)` speaks for `\(found.issuer)`, not for `\(issuer.name)`")
        }
        let keys = try Fetch.get(found.jwks_uri)
        _ = try KeySet(keys, from: found.jwks_uri)
        remember(keys, address)
        return (keys, found.jwks_uri)
    }

    // MARK: Keys of earlier sessions

    private func file(for address: String) -> String {
        let digest = SHA256.hash(data: Data((issuer.name + "\n" + address).utf8))
        return cache + "/" + digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() + ".json"
    }

    private func remembered(_ address: String) -> [UInt8]? {
        let file = file(for: address)
        var status = stat()
        guard stat(file, &status) == 0 else { return nil }
        let age = Double(time(nil) - status.st_mtim.tv_sec)
        guard age >= 0, age <= issuer.maximumAge else { return nil }
        do throws(TrustedFileFailure) { return try TrustedFile.read(file) } catch { return nil }
    }

    /// Where it cannot be kept it is fetched again.
    private func remember(_ keys: [UInt8], _ address: String) {
        mkdir(cache, 0o700)
        let file = file(for: address), new = "\(file).\(getpid())"
        let descriptor = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return }
        let isWritten = writeAll(keys, to: descriptor)
        close(descriptor)
        if !isWritten || rename(new, file) != 0 { unlink(new) }
    }
}

/// A set of public keys (RFC 7517). Keys of a kind that is not known here are as good as not there.
struct KeySet {
    private let keys: [(key: JWK, use: Use)]

    private struct Use: Decodable {
        let use: String?
        let key_ops: [String]?
        var verifies: Bool { use ?? "sig" == "sig" && key_ops?.contains("verify") ?? true }
    }

    private struct Lenient: Decodable {
        let key: (key: JWK, use: Use)?
        init(from decoder: any Decoder) throws {
            guard let key = try? JWK(from: decoder), let use = try? Use(from: decoder) else {
                self.key = nil
                return
            }
            self.key = (key, use)
        }
    }

    private struct Document: Decodable { let keys: [Lenient] }

    init(_ bytes: [UInt8], from place: String) throws(VerifiedIdentity.Refusal) {
        guard let document = try? JSONDecoder().decode(Document.self, from: Data(bytes)) else {
            throw .init("`\(place)` is no set of keys (JWKS)")
        }
        keys = document.keys.compactMap(\.key)
    }

    /// The one key that the token names, for the algorithm that it names; nil where there is none, or several.
    func key(for token: Token) async throws(VerifiedIdentity.Refusal) -> (any JWTAlgorithm)? {
        guard let algorithm = JWK.Algorithm(rawValue: token.algorithm), let kind = KeySet.kinds[String(token.algorithm.prefix(2))] else {
            return nil
        }
        let fitting = keys.filter { key, use in
            key.keyType == kind && use.verifies && (key.algorithm ?? algorithm) == algorithm
                && (token.keyID == nil || key.keyIdentifier?.string == token.keyID)
        }
        guard var only = fitting.first?.key, fitting.count == 1 else { return nil }
        only.algorithm = algorithm
        only.keyIdentifier = "key"
        // A set that holds private keys says too much; what is verified with is the public half.
        (only.privateExponent, only.prime1, only.prime2) = (nil, nil, nil)
        do { return try await JWTKeyCollection().add(jwk: only).getKey(for: "key", alg: token.algorithm) } catch {
            throw .init("the issuer's key `\(token.keyID ?? "")` cannot be used: it is malformed or too weak")
        }
    }

    private static let kinds: [String: JWK.KeyType] = ["RS": .rsa, "PS": .rsa, "ES": .ecdsa, "Ed": .octetKeyPair]
}
