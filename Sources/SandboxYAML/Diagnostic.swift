/// One thing that is wrong with a file, said so that it can be put right.
package struct Diagnostic: Hashable, Sendable, CustomStringConvertible {
    package enum Severity: String, Sendable { case error, warning }
    package let severity: Severity
    /// The file as the user knows it.
    package let file: String
    package let position: Position
    package let message: String
    package let help: String?

    package init(severity: Severity, file: String, position: Position, message: String, help: String?) {
        self.severity = severity
        self.file = file
        self.position = position
        self.message = message
        self.help = help
    }

    /// `FILE:LINE:COL: error: message`, and the help on a line of its own; safe to print, whatever the file held.
    package var description: String {
        let place = "\(Printable.escape(file)):\(position.line):\(position.column)"
        let head = "\(place): \(severity.rawValue): \(Printable.escape(message))"
        guard let help else { return head }
        return head + "\n  help: " + Printable.escape(help)
    }
}

/// Text that may come from anywhere, made fit for a terminal: control and format characters become escapes,
/// so that neither a forged line nor a terminal sequence reaches the reader (THREATS, section 9).
package enum Printable {
    package static func escape(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isHidden) else { return text }
        var out = ""
        for scalar in text.unicodeScalars {
            if isHidden(scalar) {
                out += "\\u{" + String(scalar.value, radix: 16) + "}"
            } else {
                out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: true
        default: false
        }
    }
}

/// Collects what is wrong with one file, all of it, in the order of the file.
package struct DiagnosticSink {
    package let file: String
    package private(set) var found: [Diagnostic] = []
    /// Enough to work through; a file of rubbish must not become a book of errors.
    package static let limit = 200

    package init(file: String) { self.file = file }

    package mutating func error(_ message: String, at position: Position, help: String? = nil) {
        add(.error, message, position, help)
    }

    package mutating func warning(_ message: String, at position: Position, help: String? = nil) {
        add(.warning, message, position, help)
    }

    private mutating func add(_ severity: Diagnostic.Severity, _ message: String, _ position: Position, _ help: String?) {
        guard found.count < Self.limit else { return }
        found.append(Diagnostic(severity: severity, file: file, position: position, message: message, help: help))
    }
}
