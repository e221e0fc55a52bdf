internal import SandboxModel

/// What a token with a good signature says, and whether it holds here and now.
struct Claims {
    private let claims: [String: JSONValue]
    /// Far more than anybody has; they are kept with the session.
    private static let mostNames = 500
    private static let longestName = 256

    init(_ claims: [String: JSONValue]) { self.claims = claims }

    func identity(from issuer: Issuer, now: Double) throws(VerifiedIdentity.Refusal) -> VerifiedIdentity {
        try checkAudience(issuer)
        try checkTimes(issuer, now)
        guard case .text(let subject)? = claims[issuer.subjectClaim] else {
            throw .init("the token has no claim `\(issuer.subjectClaim)` that names its subject")
        }
        let name = issuer.subjectPrefix + subject
        try Claims.check(name, shown: subject, issuer.subjectClaim)
        return VerifiedIdentity(
            subject: name, groups: try names(issuer.groupsClaim, issuer.groupsPrefix),
            roles: try names(issuer.rolesClaim, issuer.rolesPrefix))
    }

    private func checkAudience(_ issuer: Issuer) throws(VerifiedIdentity.Refusal) {
        let audiences: [String]
        switch claims["aud"] {
        case .text(let one)?: audiences = [one]
        case .texts(let list)?: audiences = list
        default: throw .init("the token names no audience (claim `aud`)")
        }
        guard audiences.contains(where: issuer.audiences.contains) else {
            throw .init(
                "the token is for another audience: `\(audiences.joined(separator: "`, `"))`",
                help: "allowed for `\(issuer.name)`: " + issuer.audiences.joined(separator: ", "))
        }
    }

    private func checkTimes(_ issuer: Issuer, _ now: Double) throws(VerifiedIdentity.Refusal) {
        guard let expires = try time("exp") else { throw .init("the token does not say when it expires (claim `exp`)") }
        guard now < expires + issuer.skew else { throw .init("the token expired at \(Claims.shown(expires))") }
        if let start = try time("nbf"), now < start - issuer.skew { throw .init("the token is not valid before \(Claims.shown(start))") }
        if let issued = try time("iat"), now < issued - issuer.skew {
            throw .init("the token was issued in the future: at \(Claims.shown(issued))", help: "is this machine's clock right?")
        }
    }

    private func time(_ claim: String) throws(VerifiedIdentity.Refusal) -> Double? {
        switch claims[claim] {
        case nil: return nil
        case .number(let seconds)?: return seconds
        default: throw .init("the token's claim `\(claim)` is no time")
        }
    }

    private static func shown(_ seconds: Double) -> String {
        (0..<1e10).contains(seconds) ? Timestamp.text(UInt64(seconds) * 1_000_000_000) : "\(seconds)"
    }

    private func names(_ claim: String?, _ prefix: String) throws(VerifiedIdentity.Refusal) -> [String] {
        guard let claim, let value = try value(of: claim) else { return [] }
        let names: [String]
        switch value {
        case .text(let one): names = [one]
        case .texts(let list): names = list
        default: throw .init("the token's claim `\(claim)` is no list of names")
        }
        guard names.count <= Claims.mostNames else { throw .init("the token's claim `\(claim)` has more than \(Claims.mostNames) names") }
        for name in names { try Claims.check(prefix + name, shown: name, claim) }
        return names.map { prefix + $0 }
    }

    /// A claim of this name, or `realm_access.roles`: one within another.
    private func value(of claim: String) throws(VerifiedIdentity.Refusal) -> JSONValue? {
        if let value = claims[claim] { return value }
        var value = JSONValue.members(claims)
        for name in claim.split(separator: ".", omittingEmptySubsequences: false) {
            guard case .members(let members) = value else { throw .init("the token's claim `\(claim)` is no list of names") }
            guard let next = members[String(name)] else { return nil }
            value = next
        }
        return value
    }

    private static func check(_ name: String, shown: String, _ claim: String) throws(VerifiedIdentity.Refusal) {
        let isHarmless = name.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
            default: true
            }
        }
        guard !shown.isEmpty, isHarmless, name.utf8.count <= longestName else {
            throw .init("the token's claim `\(claim)` holds a name that is empty, longer than \(longestName) bytes, or not plain text")
        }
    }
}
