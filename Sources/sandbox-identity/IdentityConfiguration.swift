internal import Glibc
internal import SandboxFiles
internal import SandboxModel
internal import SandboxYAML

/// Somebody whose word on people is taken, and how far.
struct Issuer {
    enum Keys {
        case file(String)
        case discovery(String)
        case secret(String)
    }

    /// Exactly what tokens say in `iss`.
    var name = ""
    var audiences: [String] = []
    var algorithms: [String] = []
    var keys: Keys = .file("")
    /// Seconds.
    var skew: Double = 60
    var maximumAge: Double = 3600
    var subjectClaim = "sub"
    var groupsClaim: String?
    var rolesClaim: String?
    var subjectPrefix = "oidc:"
    var groupsPrefix = ""
    var rolesPrefix = ""
}

/// `identity.yaml`: whom operations trust. The system's file counts alone where there is one: whoever may name people must not be
/// for the account itself to say.
struct IdentityConfiguration {
    let file: String
    let issuers: [Issuer]

    static func load() throws(VerifiedIdentity.Refusal) -> IdentityConfiguration {
        var places = ["/etc/sandbox/identity.yaml"]
        if let own = variable("XDG_CONFIG_HOME") ?? variable("HOME").map({ $0 + "/.config" }) {
            places.append(own + "/sandbox/identity.yaml")
        }
        for file in places {
            let bytes: [UInt8]?
            do throws(TrustedFileFailure) { bytes = try TrustedFile.read(file) } catch { throw .init(error.message, help: error.help) }
            if let bytes { return try IdentityReader.read(bytes, file) }
        }
        throw .init(
            "a token was given, but no issuer is trusted: there is no `identity.yaml`",
            help: "looked for: " + places.joined(separator: ", "))
    }

    private static func variable(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        let text = String(cString: value)
        return text.hasPrefix("/") ? text : nil
    }
}

/// YAML → issuers. The first mistake is told with its line and column.
struct IdentityReader {
    private let file: String
    private typealias Fields = [String: YAMLNode]

    static func read(_ bytes: [UInt8], _ file: String) throws(VerifiedIdentity.Refusal) -> IdentityConfiguration {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw .init("`\(file)` is not valid UTF-8") }
        let root: YAMLNode
        do throws(YAMLFailure) { root = try YAMLBuilder.parse(bytes, maximumDepth: 8, maximumValues: 10_000) } catch {
            throw .init("\(file):\(error.position.line):\(error.position.column): not YAML as it is used here")
        }
        return IdentityConfiguration(file: file, issuers: try IdentityReader(file: file).issuers(root))
    }

    private func issuers(_ root: YAMLNode) throws(VerifiedIdentity.Refusal) -> [Issuer] {
        let fields = try fields(root, known: ["version", "issuers"])
        guard let version = fields["version"], case .scalar("1") = version.value else { throw mistake(root, "begin with `version: 1`") }
        guard let list = fields["issuers"], case .sequence(let nodes) = list.value, !nodes.isEmpty else {
            throw mistake(root, "`issuers` is to be a list of at least one")
        }
        var issuers: [Issuer] = []
        for node in nodes {
            let issuer = try issuer(node)
            for other in issuers {
                if other.name == issuer.name { throw mistake(node, "the issuer `\(issuer.name)` is there twice") }
                // One could name the other's people.
                if other.subjectPrefix.hasPrefix(issuer.subjectPrefix) || issuer.subjectPrefix.hasPrefix(other.subjectPrefix) {
                    throw mistake(
                        node,
                        "the subjects of `\(issuer.name)` and of `\(other.name)` could not be told apart: give each a `prefix.subject` of its own"
                    )
                }
            }
            issuers.append(issuer)
        }
        return issuers
    }

    private func issuer(_ node: YAMLNode) throws(VerifiedIdentity.Refusal) -> Issuer {
        let known = ["issuer", "audience", "algorithms", "jwks", "discovery", "secret", "skew", "max_age", "claims", "prefix"]
        let fields = try fields(node, known: known)
        var issuer = Issuer()
        guard let name = fields["issuer"] else { throw mistake(node, "`issuer` is missing: what tokens say in their claim `iss`") }
        issuer.name = try text(name)
        guard let audience = fields["audience"] else { throw mistake(node, "`audience` is missing: for whom tokens must be") }
        issuer.audiences = try texts(audience)
        guard let algorithms = fields["algorithms"] else { throw mistake(node, "`algorithms` is missing, such as `[RS256]`") }
        issuer.algorithms = try texts(algorithms)
        issuer.keys = try keys(node, fields)
        try check(issuer, algorithms)
        if let skew = fields["skew"] { issuer.skew = try seconds(skew, most: 600) }
        if let age = fields["max_age"] { issuer.maximumAge = try seconds(age, most: 86_400) }
        try claims(fields["claims"], &issuer)
        try prefixes(fields["prefix"], &issuer)
        return issuer
    }

    private func keys(_ node: YAMLNode, _ fields: Fields) throws(VerifiedIdentity.Refusal) -> Issuer.Keys {
        let given = ["jwks", "discovery", "secret"].compactMap { key in fields[key].map { (key, $0) } }
        guard let (kind, value) = given.first, given.count == 1 else {
            throw mistake(node, "say where its keys are by one of `jwks`, `discovery` and `secret`")
        }
        let text = try text(value)
        if kind == "discovery" {
            guard Fetch.isAllowed(text) else { throw mistake(value, "`discovery` wants an https address (http for this machine alone)") }
            return .discovery(text)
        }
        guard text.hasPrefix("/") else { throw mistake(value, "`\(kind)` wants a whole path, from `/` on") }
        return kind == "jwks" ? .file(text) : .secret(text)
    }

    private static let asymmetric = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
    private static let symmetric = ["HS256", "HS384", "HS512"]

    /// A public key is never taken for a secret: an issuer has the one or the other.
    private func check(_ issuer: Issuer, _ node: YAMLNode) throws(VerifiedIdentity.Refusal) {
        let isSecret = if case .secret = issuer.keys { true } else { false }
        let allowed = isSecret ? IdentityReader.symmetric : IdentityReader.asymmetric
        for algorithm in issuer.algorithms where !allowed.contains(algorithm) {
            let keys = isSecret ? "a `secret`" : "public keys"
            throw mistake(node, "`\(algorithm)` cannot be allowed with \(keys); there are: " + allowed.joined(separator: ", "))
        }
    }

    private func claims(_ node: YAMLNode?, _ issuer: inout Issuer) throws(VerifiedIdentity.Refusal) {
        guard let node else { return }
        let fields = try fields(node, known: ["subject", "groups", "roles"])
        if let subject = fields["subject"] { issuer.subjectClaim = try text(subject) }
        if let groups = fields["groups"] { issuer.groupsClaim = try text(groups) }
        if let roles = fields["roles"] { issuer.rolesClaim = try text(roles) }
    }

    private func prefixes(_ node: YAMLNode?, _ issuer: inout Issuer) throws(VerifiedIdentity.Refusal) {
        guard let node else { return }
        let fields = try fields(node, known: ["subject", "groups", "roles"])
        if let subject = fields["subject"] {
            issuer.subjectPrefix = try text(subject)
            guard issuer.subjectPrefix.hasPrefix("oidc:") else { throw mistake(subject, "`prefix.subject` begins with `oidc:`") }
        }
        if let groups = fields["groups"] { issuer.groupsPrefix = try text(groups) }
        if let roles = fields["roles"] { issuer.rolesPrefix = try text(roles) }
    }

    // MARK: Values

    private func fields(_ node: YAMLNode, known: [String]) throws(VerifiedIdentity.Refusal) -> Fields {
        guard case .mapping(let pairs) = node.value else { throw mistake(node, "a mapping is wanted here") }
        var fields: Fields = [:]
        for (key, value) in pairs {
            guard case .scalar(let name) = key.value, known.contains(name) else {
                throw mistake(key, "unknown key; there are: " + known.joined(separator: ", "))
            }
            guard fields.updateValue(value, forKey: name) == nil else { throw mistake(key, "`\(name)` is there twice") }
        }
        return fields
    }

    private func text(_ node: YAMLNode) throws(VerifiedIdentity.Refusal) -> String {
        guard case .scalar(let text) = node.value, !text.isEmpty, !text.utf8.contains(0) else {
            throw mistake(node, "a text is wanted here")
        }
        return text
    }

    private func texts(_ node: YAMLNode) throws(VerifiedIdentity.Refusal) -> [String] {
        guard case .sequence(let nodes) = node.value else { return [try text(node)] }
        var list: [String] = []
        for node in nodes { list.append(try text(node)) }
        guard !list.isEmpty else { throw mistake(node, "the list is empty") }
        return list
    }

    private func seconds(_ node: YAMLNode, most: Double) throws(VerifiedIdentity.Refusal) -> Double {
        guard let time = Timestamp.parseDuration(try text(node)), Double(time) <= most * 1e9 else {
            throw mistake(node, "a time of at most \(Int(most)) seconds is wanted here, such as `30s`")
        }
        return Double(time) / 1e9
    }

    private func mistake(_ node: YAMLNode, _ what: String) -> VerifiedIdentity.Refusal {
        .init("\(file):\(node.position.line):\(node.position.column): \(what)")
    }
}
