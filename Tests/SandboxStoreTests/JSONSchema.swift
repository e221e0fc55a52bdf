import Foundation

/// As much of JSON Schema as the published schemas of the exports need. What it does not know fails.
struct JSONSchema {
    private let root: [String: Any]

    init(named name: String) throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Schemas")
        let data = try Data(contentsOf: folder.appendingPathComponent(name + ".json"))
        root = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? ["unreadable": true]
    }

    /// What is wrong, with the place; empty where it is valid.
    func problems(in text: String) throws -> [String] {
        check(try JSONSerialization.jsonObject(with: Data(text.utf8)), root, "$")
    }

    private func check(_ value: Any, _ schema: [String: Any], _ place: String) -> [String] {
        schema.flatMap { key, rule -> [String] in
            switch key {
            case "$comment", "$defs", "additionalProperties": []
            case "$ref": check(value, definition(rule as? String ?? ""), place)
            case "allOf": (rule as? [[String: Any]] ?? []).flatMap { check(value, $0, place) }
            case "type": isOf(value, rule as? String ?? "") ? [] : ["\(place): is no \(rule)"]
            case "enum": (rule as? [String] ?? []).contains(value as? String ?? "") ? [] : ["\(place): `\(value)` is none of \(rule)"]
            case "pattern": matches(value as? String ?? "", rule as? String ?? "") ? [] : ["\(place): `\(value)` is not \(rule)"]
            case "required":
                (rule as? [String] ?? []).filter { (value as? [String: Any])?[$0] == nil }.map { "\(place): has no `\($0)`" }
            case "items":
                (value as? [Any] ?? []).enumerated().flatMap { check($1, rule as? [String: Any] ?? [:], "\(place)[\($0)]") }
            case "properties", "patternProperties": members(value, schema, of: key, place)
            default: ["\(place): the schema has `\(key)`, which is not understood"]
            }
        } + unexpected(value, schema, place)
    }

    private func members(_ value: Any, _ schema: [String: Any], of key: String, _ place: String) -> [String] {
        let rules = schema[key] as? [String: [String: Any]] ?? [:]
        return (value as? [String: Any] ?? [:]).flatMap { name, member in
            rules.filter { key == "properties" ? $0.key == name : matches(name, $0.key) }.values.flatMap {
                check(member, $0, place + "." + name)
            }
        }
    }

    private func unexpected(_ value: Any, _ schema: [String: Any], _ place: String) -> [String] {
        guard schema["additionalProperties"] as? Bool == false, let object = value as? [String: Any] else { return [] }
        let names = Set((schema["properties"] as? [String: Any] ?? [:]).keys)
        let patterns = (schema["patternProperties"] as? [String: Any] ?? [:]).keys
        return object.keys.filter { name in !names.contains(name) && !patterns.contains { matches(name, $0) } }.map {
            "\(place): `\($0)` is not expected"
        }
    }

    private func definition(_ reference: String) -> [String: Any] {
        (root["$defs"] as? [String: [String: Any]])?[String(reference.dropFirst("#/$defs/".count))] ?? ["missing": true]
    }

    private func isOf(_ value: Any, _ type: String) -> Bool {
        switch type {
        case "object": value is [String: Any]
        case "array": value is [Any]
        case "string": value is String
        default: false
        }
    }

    private func matches(_ text: String, _ pattern: String) -> Bool { text.range(of: pattern, options: .regularExpression) != nil }
}
