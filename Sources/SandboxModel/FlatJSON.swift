/// The fields of a JSON object, as far as requests and answers about approvals need them. What stands in a text stays escaped as it
/// came.
package struct FlatJSON: Sendable {
    private var fields: [String: String] = [:]

    package init(_ text: String) {
        for (name, value) in FlatJSON.split(FlatJSON.withoutSpaces(text)) { fields[name] = value }
    }

    /// A text without its quotes and a list without its brackets, escaped as they came.
    package subscript(_ name: String) -> String? {
        guard let value = fields[name] else { return nil }
        if value.hasPrefix("\"") { return String(value.dropFirst().dropLast()) }
        if value.hasPrefix("[") { return value.dropFirst().dropLast().split(separator: ",").joined(separator: " ") }
        return value
    }

    package static func objects(in text: String, field: String) -> [String] {
        guard let list = FlatJSON(text).fields[field], list.hasPrefix("[") else { return [] }
        return elements(Array(list.utf8.dropFirst().dropLast())).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Those between names and values.
    private static func withoutSpaces(_ text: String) -> [UInt8] {
        var isText = false, isEscaped = false
        return text.utf8.filter { byte in
            if isEscaped {
                isEscaped = false
            } else if isText, byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isText.toggle()
            }
            return isText || ![0x20, 0x09, 0x0a, 0x0d].contains(byte)
        }
    }

    private static func split(_ text: [UInt8]) -> [(String, String)] {
        elements(text.dropFirst().dropLast().map { $0 }).compactMap { field in
            guard field.first == UInt8(ascii: "\""), let end = field.dropFirst().firstIndex(of: UInt8(ascii: "\"")), end + 1 < field.count
            else { return nil }
            return (String(decoding: field[1..<end], as: UTF8.self), String(decoding: field[(end + 2)...], as: UTF8.self))
        }
    }

    /// What stands between the outermost commas.
    private static func elements(_ bytes: [UInt8]) -> [[UInt8]] {
        var parts: [[UInt8]] = [[]]
        var depth = 0, isText = false, isEscaped = false
        for byte in bytes {
            if byte == UInt8(ascii: ","), depth == 0, !isText {
                parts.append([])
                continue
            }
            parts[parts.count - 1].append(byte)
            if isEscaped {
                isEscaped = false
            } else if isText, byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isText.toggle()
            } else if !isText, byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
                depth += 1
            } else if !isText,
                byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]")
            {
                depth -= 1
            }
        }
        return parts == [[]] ? [] : parts
    }
}
