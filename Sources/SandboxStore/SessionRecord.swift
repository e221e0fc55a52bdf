internal import SandboxModel

/// The file `session` in a session's directory: who runs what, for a recovery that has nothing else.
/// A magic word, then each field as a length (32 bits, little endian; all ones: absent) and its bytes.
enum SessionRecord {
    static let magic = Array("SBXSESS2".utf8)
    private static let absent = UInt32.max

    static func encode(_ info: SessionInfo) -> [UInt8] {
        var out = magic
        func put(_ text: String?) {
            withBytes(of: text.map { UInt32($0.utf8.count) } ?? absent) { out += $0 }
            if let text { out += text.utf8 }
        }
        for text in [info.id, info.name, info.identity, info.onBehalfOf, info.purpose] { put(text) }
        for text in [info.profile, info.mode, info.workspace, info.host] { put(text) }
        for number in [UInt64(info.user), UInt64(UInt32(bitPattern: info.supervisor)), info.started] {
            put(String(number))
        }
        for list in [info.groups, info.roles] { put(list.dropFirst().reduce(list.first ?? "") { $0 + "\n" + $1 }) }
        for argument in info.command { put(argument) }
        return out
    }

    static func decode(_ bytes: [UInt8], from path: String) throws(StoreError) -> SessionInfo {
        guard bytes.starts(with: magic) else { throw .malformed(object: path, reason: "it does not begin as a session") }
        var rest = bytes[magic.count...]
        var fields: [String?] = []
        while !rest.isEmpty {
            guard rest.count >= 4 else { throw .malformed(object: path, reason: "a length is cut off") }
            let length = rest.prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            rest = rest.dropFirst(4)
            if length == absent {
                fields.append(nil)
                continue
            }
            guard UInt64(length) <= UInt64(rest.count) else {
                throw .malformed(object: path, reason: "a field is cut off")
            }
            fields.append(String(decoding: rest.prefix(Int(length)), as: UTF8.self))
            rest = rest.dropFirst(Int(length))
        }
        return try info(fields, from: path)
    }

    private static func info(_ fields: [String?], from path: String) throws(StoreError) -> SessionInfo {
        guard fields.count >= 14, let id = fields[0], SessionDirectory.isID(id), let identity = fields[2],
            let profile = fields[5], let mode = fields[6], let workspace = fields[7], let host = fields[8],
            let user = fields[9].flatMap({ UInt32($0) }), let supervisor = fields[10].flatMap({ UInt32($0) }),
            let started = fields[11].flatMap({ UInt64($0) })
        else { throw .malformed(object: path, reason: "a field is missing") }
        func list(_ text: String?) -> [String] { (text ?? "").split(separator: "\n").map(String.init) }
        return SessionInfo(
            id: id, name: fields[1], identity: identity, onBehalfOf: fields[3], groups: list(fields[12]), roles: list(fields[13]),
            purpose: fields[4], profile: profile, mode: mode, workspace: workspace, command: fields[14...].map { $0 ?? "" }, host: host,
            user: user,
            supervisor: Int32(bitPattern: supervisor), started: started)
    }

    private static func withBytes(of value: UInt32, _ body: ([UInt8]) -> Void) {
        body((0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) })
    }
}
