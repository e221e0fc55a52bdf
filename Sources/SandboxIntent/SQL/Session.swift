internal import SandboxModel

/// What one statement of a text changes for those that follow it.
struct SQLSession {
    /// Tables that are surely the connection's own. Each lives only as long as nothing can have taken it away.
    var temporary: Set<String> = []
    /// What a prepared statement will do.
    var prepared: [String: IntentSet] = [:]
    /// The server was told to read text in another way than we do.
    var isReadDifferently = false
    /// Within a transaction block, what follows an error does nothing; elsewhere a client may go on after it.
    var stopsAtErrors = true
    var isInTransaction = false

    /// A table that may not have been made at all, or may be gone, is as good as a real one.
    mutating func created(temporary name: String) {
        if stopsAtErrors || isInTransaction { temporary.insert(name) }
    }
    func isTemporary(schema: String?, _ name: String) -> Bool {
        schema == nil ? temporary.contains(name) : schema == "pg_temp"
    }
}

/// What is found out about a statement while it is read.
struct Findings {
    var intents: IntentSet = []
    private(set) var reasons: [String] = []
    private(set) var tables: [String] = []
    private(set) var databases: [String] = []
    private(set) var columns: [String] = []
    /// It names more than these: nobody can tell what it is not about.
    private var isCut = false
    private static let most = 1000

    mutating func add(_ intent: Intent, _ reason: String) {
        guard !intents.contains(intent) else { return }
        intents.insert(intent)
        reasons.append(reason)
    }
    mutating func add(_ more: IntentSet, _ reason: String) {
        guard !more.isSubset(of: intents) else { return }
        intents.formUnion(more)
        reasons.append(reason)
    }
    /// Nothing but this, whatever was found.
    mutating func replace(_ intent: Intent, _ reason: String) {
        intents = [intent]
        reasons = [reason]
    }
    mutating func table(_ name: String) { isCut = isCut || !Self.note(name, &tables) }
    mutating func database(_ name: String) { isCut = isCut || !Self.note(name, &databases) }

    private static func note(_ name: String, _ list: inout [String]) -> Bool {
        if list.contains(name) { return true }
        if list.count < most { list.append(name) }
        return list.count < most
    }
    /// In MySQL's names the first part of two.
    mutating func database(ofTable name: String) {
        let parts = name.split(separator: ".")
        if parts.count == 2 { database(String(parts[0])) }
    }
    mutating func column(_ name: String) {
        if columns.count < 200, !columns.contains(name) { columns.append(name) }
    }
    mutating func absorb(_ other: Statement) {
        add(other.intents, other.reasons.first ?? "")
        other.tables.forEach { table($0) }
        other.databases.forEach { database($0) }
        other.columns.forEach { column($0) }
    }

    func statement(_ range: Range<Int>) -> Statement {
        Statement(
            intents: intents.isEmpty || isCut ? intents.union([.sqlUnknown]) : intents, tables: tables, databases: databases,
            columns: columns, range: range, reasons: isCut ? reasons + ["\(Self.most) tables or databases and more"] : reasons)
    }
}
