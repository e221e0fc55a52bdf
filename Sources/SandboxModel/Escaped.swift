/// Makes bytes of an audited process fit to be shown: whatever they are, what comes out holds no control
/// and no format character, so nothing of an agent's reaches a terminal, a log line or a page as a command
/// (CWE-117, CVE-2023-28101), and it can be read back without loss.
///
/// For people: `\n`, `\t`, `\\`, `\x1b` for a control or a byte that is not UTF-8, `\u{202e}` for a format
/// character. For programs: a JSON string, in which a byte that is not UTF-8 is written `\\xNN`; since that
/// alone is ambiguous, writers of JSON add a field `…_base64` where `isUTF8` is false.
package enum Escaped {
    /// The text for people.
    package static func text(_ bytes: some Sequence<UInt8>) -> String {
        var out = ""
        forEachUnit(Array(bytes)) { unit in
            switch unit {
            case .byte(let byte): out += "\\x" + hex(UInt32(byte), digits: 2)
            case .scalar(let scalar): appendHuman(scalar, to: &out)
            }
        }
        return out
    }

    package static func text(_ bytes: [UInt8]) -> String {
        isPlain(bytes) ? String(decoding: bytes, as: UTF8.self) : text(bytes[...])
    }

    package static func text(_ string: String) -> String { text(Array(string.utf8)) }

    /// The text as a JSON string, quotes included.
    package static func json(_ bytes: some Sequence<UInt8>) -> String {
        var out = "\""
        forEachUnit(Array(bytes)) { unit in
            switch unit {
            case .byte(let byte): out += "\\\\x" + hex(UInt32(byte), digits: 2)
            case .scalar(let scalar): appendJSON(scalar, to: &out)
            }
        }
        return out + "\""
    }

    package static func json(_ bytes: [UInt8]) -> String {
        isPlain(bytes) ? "\"" + String(decoding: bytes, as: UTF8.self) + "\"" : json(bytes[...])
    }

    package static func json(_ string: String) -> String { json(Array(string.utf8)) }

    /// Nothing to escape in either form: the usual case, and a listing has millions of it.
    private static func isPlain(_ bytes: [UInt8]) -> Bool {
        for byte in bytes where byte < 0x20 || byte >= 0x7f || byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "\"") {
            return false
        }
        return true
    }

    /// A command line for people: words with blanks or quotes in them stand in single quotes.
    package static func commandLine(_ arguments: [[UInt8]]) -> String {
        arguments.map { argument in
            let word = text(argument)
            let plain = !word.isEmpty && !word.utf8.contains { " '\"$`&;|<>()*?[]#~!{}".utf8.contains($0) }
            return plain ? word : "'" + word.replacingQuotes() + "'"
        }.joined(separator: " ")
    }

    package static func isUTF8(_ bytes: [UInt8]) -> Bool {
        if isPlain(bytes) { return true }
        var valid = true
        forEachUnit(bytes) { if case .byte = $0 { valid = false } }
        return valid
    }

    /// RFC 4648 §4, with padding.
    package static func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var out: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let given = min(3, bytes.count - start)
            var group: UInt32 = 0
            for place in 0..<3 { group = group << 8 | (place < given ? UInt32(bytes[start + place]) : 0) }
            for place in 0..<4 {
                out.append(place <= given ? alphabet[Int(group >> UInt32(18 - 6 * place) & 63)] : UInt8(ascii: "="))
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    // MARK: What is escaped

    /// Controls, format characters (bidi, zero width, tags), the line and paragraph separators, blanks other
    /// than the space, and what no font shows.
    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x7f { return scalar.value < 0x20 }
        return switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .privateUse, .unassigned,
            .surrogate:
            true
        default: false
        }
    }

    private static func appendHuman(_ scalar: Unicode.Scalar, to out: inout String) {
        switch scalar {
        case "\\": out += "\\\\"
        case "\n": out += "\\n"
        case "\r": out += "\\r"
        case "\t": out += "\\t"
        case _ where !isHidden(scalar): out.unicodeScalars.append(scalar)
        case _ where scalar.value < 0x80: out += "\\x" + hex(scalar.value, digits: 2)
        default: out += "\\u{" + hex(scalar.value, digits: 0) + "}"
        }
    }

    private static func appendJSON(_ scalar: Unicode.Scalar, to out: inout String) {
        switch scalar {
        case "\\": out += "\\\\"
        case "\"": out += "\\\""
        case "\n": out += "\\n"
        case "\r": out += "\\r"
        case "\t": out += "\\t"
        case _ where !isHidden(scalar): out.unicodeScalars.append(scalar)
        default: for unit in String(scalar).utf16 { out += "\\u" + hex(UInt32(unit), digits: 4) }
        }
    }

    private static func hex(_ value: UInt32, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }

    // MARK: Strict UTF-8

    private enum Unit {
        case scalar(Unicode.Scalar)
        case byte(UInt8)
    }

    private static func forEachUnit(_ bytes: [UInt8], _ body: (Unit) -> Void) {
        var at = 0
        while at < bytes.count {
            if let (scalar, length) = decode(bytes, at: at) {
                body(.scalar(scalar))
                at += length
            } else {
                body(.byte(bytes[at]))
                at += 1
            }
        }
    }

    /// One scalar by Unicode table 3-7: no overlong form, no surrogate, nothing above U+10FFFF.
    private static func decode(_ bytes: [UInt8], at start: Int) -> (Unicode.Scalar, Int)? {
        let lead = bytes[start]
        let (length, least): (Int, UInt32)
        switch lead {
        case 0..<0x80: return (Unicode.Scalar(lead), 1)
        case 0xc2..<0xe0: (length, least) = (2, 0x80)
        case 0xe0..<0xf0: (length, least) = (3, 0x800)
        case 0xf0..<0xf5: (length, least) = (4, 0x10000)
        default: return nil
        }
        guard start + length <= bytes.count else { return nil }
        var value = UInt32(lead) & (0x7f >> UInt32(length))
        for place in 1..<length {
            guard bytes[start + place] & 0xc0 == 0x80 else { return nil }
            value = value << 6 | UInt32(bytes[start + place] & 0x3f)
        }
        guard value >= least, let scalar = Unicode.Scalar(value) else { return nil }
        return (scalar, length)
    }
}

extension String {
    /// `'` within single quotes, as a shell wants it.
    fileprivate func replacingQuotes() -> String {
        split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
    }
}
