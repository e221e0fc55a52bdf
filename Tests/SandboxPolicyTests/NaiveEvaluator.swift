import SandboxModel
@testable import SandboxPolicy

/// Judges files by trying every entry in turn, in the plainest way: what the fast table is measured against.
struct NaiveEvaluator {
    let body: ProfileBody

    func judge(file path: String, access: FileAccess) -> String {
        let names = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map { Array($0.utf8) }
        if let deny = first(body.files.deny, names) { return "deny files.deny[\(deny)]" }
        let programs = body.exec.deny.indices.filter { programDenied(body.exec.deny[$0].value, names) }
        if let program = programs.first { return "deny exec.deny[\(program)]" }
        if let write = first(body.files.write, names) { return "allow files.write[\(write)]" }
        if access.isDisjoint(with: .changing), let read = first(body.files.read, names) { return "allow files.read[\(read)]" }
        return "\((body.files.fallback ?? .deny).name) files.default"
    }

    private func first(_ entries: [Entry<[PathPattern]>], _ names: [[UInt8]]) -> Int? {
        entries.firstIndex { $0.value.contains { matches($0.components[...], names[...]) } }
    }

    private func programDenied(_ program: ProgramPattern, _ names: [[UInt8]]) -> Bool {
        switch program {
        case .path(let patterns): return patterns.contains { matches($0.components[...], names[...]) }
        case .name(let glob):
            guard names.count > 1, let last = names.last else { return false }
            let folder = String(decoding: names[names.count - 2], as: UTF8.self)
            return ["bin", "sbin", "libexec"].contains(folder) && name(glob.code[...], last[...])
        }
    }

    func matches(_ pattern: ArraySlice<PathPattern.Component>, _ names: ArraySlice<[UInt8]>) -> Bool {
        guard let head = pattern.first else { return names.isEmpty }
        switch head {
        case .anyDepth:
            if pattern.count == 1 { return true }
            return (names.startIndex...names.endIndex).contains { matches(pattern.dropFirst(), names[$0...]) }
        case .literal(let literal):
            return names.first == literal && matches(pattern.dropFirst(), names.dropFirst())
        case .glob(let glob):
            return names.first.map { name(glob.code[...], $0[...]) } == true && matches(pattern.dropFirst(), names.dropFirst())
        }
    }

    func name(_ code: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
        guard let head = code.first else { return text.isEmpty }
        let rest = code.dropFirst(Glob.width(head))
        if head == Glob.Code.star { return (text.startIndex...text.endIndex).contains { name(rest, text[$0...]) } }
        guard let byte = text.first else { return false }
        let operand = code.startIndex + 1
        let fits =
            switch head {
            case Glob.Code.literal: code[operand] == byte
            case Glob.Code.any: true
            default: code[operand + Int(byte >> 3)] >> (byte & 7) & 1 == 1
            }
        return fits && name(rest, text.dropFirst())
    }
}
