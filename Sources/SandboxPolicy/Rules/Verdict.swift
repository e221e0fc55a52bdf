package import SandboxModel

/// What the rules say about one operation. Without a rule that matches: allow, and no rules.
package struct Verdict: Sendable, Hashable {
    package var decision: Decision = .allow
    /// Every rule that matched, the strictest first.
    package var rules: [RuleID] = []
    /// Why, where there is more to say than the first rule's reason.
    package var note: String?
    /// It denies only because it cannot be told whether a rule matches.
    package var isUnsure = false
    /// Who may answer; only where the decision is `ask`.
    package var ask: AskTerms?
    /// What to run instead; only where the decision is `rewrite`.
    package var rewrite: Rewriting?
    /// SQL in the command line is to be rewritten, too.
    package var sql: SQLChange?
    /// What other rules that match would make of it.
    package var others: [Change] = []

    package struct Change: Sendable, Hashable {
        package var rewrite: Rewriting?
        package var sql: SQLChange?
        package init(rewrite: Rewriting?, sql: SQLChange?) { (self.rewrite, self.sql) = (rewrite, sql) }
    }

    package init() {}
}

/// A command line as it is to run.
package struct Rewriting: Sendable, Hashable {
    /// A path, or a name to be looked up; nil: the same program.
    package var program: [UInt8]?
    package var arguments: [[UInt8]]
    package var variables: [EnvironmentVariable]
}

/// What a rule does to SQL that a client is given.
package struct SQLChange: Sendable, Hashable {
    /// `DROP TABLE` becomes a rename into this schema.
    package var trashSchema: String?
    /// A `SELECT` without a limit gets this one.
    package var limit: UInt64?
    package init(trashSchema: String? = nil, limit: UInt64? = nil) {
        self.trashSchema = trashSchema
        self.limit = limit
    }
}

/// Under what terms a held operation may go on. Where several rules ask, all of their terms hold.
package struct AskTerms: Sendable, Hashable {
    package enum Scope: String, Sendable, CaseIterable { case once, session, time }
    /// Of each list, somebody must approve: `group:ops`, `role:dba`, `user:alice`, globs allowed. An empty list: the person
    /// who runs the session.
    package var approvers: [[String]]
    /// Nanoseconds; then it is denied.
    package var timeout: UInt64
    /// How many different people must approve.
    package var approvals: Int
    package var scopes: Swift.Set<Scope>
    package static let defaultTimeout: UInt64 = 600_000_000_000

    package init(
        approvers: [[String]] = [[]], timeout: UInt64 = defaultTimeout, approvals: Int = 1,
        scopes: Swift.Set<Scope> = Swift.Set(Scope.allCases)
    ) {
        self.approvers = approvers
        self.timeout = timeout
        self.approvals = approvals
        self.scopes = scopes
    }
}

extension AskTerms {
    /// All of them at once; the same whatever their order.
    package init(all terms: [AskTerms]) {
        self.init(approvers: [], timeout: terms.map(\.timeout).min() ?? Self.defaultTimeout)
        for each in terms {
            for list in each.approvers where !approvers.contains(list) { approvers.append(list) }
            approvals = max(approvals, each.approvals)
            scopes.formIntersection(each.scopes)
        }
        approvers.sort { $0.lexicographicallyPrecedes($1) }
        if approvers.isEmpty { approvers = [[]] }
        // Scopes that exclude each other leave the narrowest.
        if scopes.isEmpty { scopes = [.once] }
    }
}
