/// Whom a checked token names, as `sandbox-identity` tells it: one line a field, and a last one that says that it is all.
package struct VerifiedIdentity: Hashable, Sendable {
    /// `oidc:` and what the issuer calls the person.
    package var subject: String
    /// Bare names: a profile says `group:NAME` and `role:NAME`.
    package var groups: [String]
    package var roles: [String]

    package init(subject: String, groups: [String] = [], roles: [String] = []) {
        self.subject = subject
        self.groups = groups
        self.roles = roles
    }

    /// What only a checked token, or the system's own data base of groups, may name.
    package static let reserved = ["oidc:", "group:", "role:"]

    /// All that `identities:` in a profile may name.
    package var names: [String] { [subject] + groups.map { "group:" + $0 } + roles.map { "role:" + $0 } }

    /// Why a token was not believed.
    package struct Refusal: Error, Hashable, Sendable {
        package let message: String
        package let help: String?
        package init(_ message: String, help: String? = nil) {
            self.message = message
            self.help = help
        }
    }

    private static let end = "end"

    package static func answer(_ result: Result<VerifiedIdentity, Refusal>) -> String {
        let fields: [(String, String)] =
            switch result {
            case .success(let who): [("subject", who.subject)] + who.groups.map { ("group", $0) } + who.roles.map { ("role", $0) }
            case .failure(let why): [("error", why.message)] + (why.help.map { [("help", $0)] } ?? [])
            }
        // No name holds a line's end (it would have been refused); a message may repeat one.
        return fields.map { "\($0) \($1.replacing("\n", with: " "))\n" }.joined() + end + "\n"
    }

    /// nil where the answer is cut off or none.
    package static func read(_ answer: String) -> Result<VerifiedIdentity, Refusal>? {
        var lines = answer.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.popLast() == "", lines.popLast() == end[...] else { return nil }
        var fields: [Substring: [String]] = [:]
        for line in lines {
            guard let blank = line.firstIndex(of: " ") else { return nil }
            fields[line[..<blank], default: []].append(String(line[line.index(after: blank)...]))
        }
        if let message = fields["error"]?.first { return .failure(Refusal(message, help: fields["help"]?.first)) }
        guard let subject = fields["subject"]?.first, fields["subject"]?.count == 1 else { return nil }
        return .success(VerifiedIdentity(subject: subject, groups: fields["group"] ?? [], roles: fields["role"] ?? []))
    }
}
