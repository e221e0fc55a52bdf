internal import SandboxModel

/// What SQL text does. It trusts the text in nothing: whatever it is, the answer comes in bounded time and memory.
package enum SQL {
    /// Longer text is not read at all.
    package static let maximumText = 1 << 20

    /// The statements of a text that a server is given as it is. Empty text has none; everything else has at least one.
    package static func read(_ text: [UInt8], dialect: SQLDialect) -> [Statement] {
        read(text, dialect, SQLSession()).statements
    }

    static func read(_ text: [UInt8], _ dialect: SQLDialect, _ session: SQLSession) -> (statements: [Statement], session: SQLSession) {
        guard text.count <= maximumText else {
            return ([Statement(intents: [.sqlUnknown], range: 0..<text.count, reasons: ["more than \(maximumText) bytes"])], session)
        }
        if dialect == .postgres {
            var reader = PostgresReader(text, session: session)
            return (reader.read(), reader.session)
        }
        var reader = TokenReader(text, dialect, session: session)
        return (reader.read(), reader.session)
    }
}
