import Foundation

/// As much of JSON Schema (drafts 4 and 2020-12, formats asserted) as the published schemas of the exports need. What it does
/// not know fails.
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
            case "$comment", "$schema", "$id", "$defs", "definitions", "additionalProperties": []
            case "$ref": check(value, definition(rule as? String ?? ""), place)
            case "allOf": schemas(rule).flatMap { check(value, $0, place) }
            case "anyOf": fitting(value, rule, place) > 0 ? [] : ["\(place): fits none of several"]
            case "oneOf": fitting(value, rule, place) == 1 ? [] : ["\(place): fits \(fitting(value, rule, place)) of several"]
            case "not": fitting(value, [rule], place) == 0 ? [] : ["\(place): fits what it must not"]
            case "type": isOf(value, rule as? String ?? "") ? [] : ["\(place): is no \(rule)"]
            case "enum": (rule as? [String] ?? []).contains(value as? String ?? "") ? [] : ["\(place): `\(value)` is none of \(rule)"]
            case "format": isFormatted(value, rule as? String ?? "") ? [] : ["\(place): `\(value)` is no \(rule)"]
            case "minItems": (value as? [Any])?.count ?? .max >= rule as? Int ?? .max ? [] : ["\(place): has too few items"]
            case "required":
                (rule as? [String] ?? []).filter { (value as? [String: Any])?[$0] == nil }.map { "\(place): has no `\($0)`" }
            case "items":
                (value as? [Any] ?? []).enumerated().flatMap { check($1, rule as? [String: Any] ?? [:], "\(place)[\($0)]") }
            case "properties", "patternProperties": members(value, schema, of: key, place)
            default: ["\(place): the schema has `\(key)`, which is not understood"]
            }
        } + others(value, schema, place)
    }

    private func schemas(_ rule: Any) -> [[String: Any]] { rule as? [[String: Any]] ?? [["unreadable": true]] }

    private func fitting(_ value: Any, _ rule: Any, _ place: String) -> Int { schemas(rule).count { check(value, $0, place).isEmpty } }

    private func members(_ value: Any, _ schema: [String: Any], of key: String, _ place: String) -> [String] {
        let rules = schema[key] as? [String: [String: Any]] ?? [:]
        return (value as? [String: Any] ?? [:]).flatMap { name, member in
            rules.filter { key == "properties" ? $0.key == name : matches(name, $0.key) }.values.flatMap {
                check(member, $0, place + "." + name)
            }
        }
    }

    /// The members that no rule names.
    private func others(_ value: Any, _ schema: [String: Any], _ place: String) -> [String] {
        guard let rule = schema["additionalProperties"], let object = value as? [String: Any] else { return [] }
        let names = Set((schema["properties"] as? [String: Any] ?? [:]).keys)
        let patterns = (schema["patternProperties"] as? [String: Any] ?? [:]).keys
        return object.filter { member in !names.contains(member.key) && !patterns.contains { matches(member.key, $0) } }.flatMap {
            if let schema = rule as? [String: Any] { return check($1, schema, place + "." + $0) }
            return rule as? Bool == true ? [] : ["\(place): `\($0)` is not expected"]
        }
    }

    private func definition(_ reference: String) -> [String: Any] {
        let path = reference.split(separator: "/").map(String.init)
        guard path.count == 3, path[0] == "#" else { return ["missing": true] }
        return (root[path[1]] as? [String: [String: Any]])?[path[2]] ?? ["missing": true]
    }

    private func isOf(_ value: Any, _ type: String) -> Bool {
        switch type {
        case "object": value is [String: Any]
        case "array": value is [Any]
        case "string": value is String
        case "boolean", "number": value is NSNumber
        default: false
        }
    }

    private func isFormatted(_ value: Any, _ format: String) -> Bool {
        guard let text = value as? String else { return true }
        return switch format {
        // RFC 3986, and a URN has a name space and a name (RFC 8141).
        case "uri":
            matches(text, "^[A-Za-z][A-Za-z0-9+.-]*:([A-Za-z0-9._~:/?#\\[\\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+$")
                && (!text.lowercased().hasPrefix("urn:") || matches(text, "^urn:[A-Za-z0-9][A-Za-z0-9-]{0,30}[A-Za-z0-9]:."))
        case "date-time":
            matches(text, "^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9](\\.[0-9]+)?(Z|[+-][0-2][0-9]:[0-5][0-9])$")
        case "uuid": matches(text, "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
        default: false
        }
    }

    private func matches(_ text: String, _ pattern: String) -> Bool { text.range(of: pattern, options: .regularExpression) != nil }
}
