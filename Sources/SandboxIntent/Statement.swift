package import SandboxModel

package enum SQLDialect: String, Sendable, CaseIterable {
    case postgres, mysql, sqlite
    /// No SQL: what redis-cli(1) reads. It has no statements, only commands that the catalogue knows.
    case redis
}

/// One SQL statement, and what it does.
package struct Statement: Sendable, Hashable {
    /// At least one; `sql.unknown` where it could not be understood, whatever else it may do.
    package var intents: IntentSet
    /// Tables that it names and that outlive the connection: `crm.public.customers`, `customers`; as the server folds names,
    /// without quotes.
    package var tables: [String]
    /// Databases that it names itself: one that it drops or goes over to, those of MySQL's `crm.customers`.
    package var databases: [String]
    /// Columns where they are plain.
    package var columns: [String]
    /// Where it lies in the text, bytes.
    package var range: Range<Int>
    /// What led to each intent, for people: `UPDATE users without a condition`.
    package var reasons: [String]

    package init(
        intents: IntentSet, tables: [String] = [], databases: [String] = [], columns: [String] = [], range: Range<Int>,
        reasons: [String] = []
    ) {
        self.intents = intents
        self.tables = tables
        self.databases = databases
        self.columns = columns
        self.range = range
        self.reasons = reasons
    }

    /// It is about something in the database that its connection is to.
    package var usesOwnDatabase: Bool {
        databases.isEmpty ? intents != [.sqlSelect] || !tables.isEmpty : tables.contains { !$0.contains(".") }
    }
}
