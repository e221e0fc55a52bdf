internal import ArgumentParser
internal import Glibc
internal import SandboxIntent
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxSupervisor
internal import SandboxYAML

/// `explain --batch`: a JSON object a line in, one out.
struct ExplainBatch {
    private let explainer: Explainer
    /// What comes again and again, quoted once.
    private let rules: [[UInt8]]
    private let reasons: [[UInt8]]
    private let intents = Intent.allCases.map { Array(Escaped.json($0.name).utf8) }
    private static let longestLine = 4 << 20

    init(_ explainer: Explainer) {
        self.explainer = explainer
        rules = explainer.policy.rules.map { Array(Escaped.json($0.name).utf8) }
        reasons = explainer.policy.rules.map { Array(Escaped.json($0.reason).utf8) }
    }

    /// The exit code: 0, or 125 where a line could not be read.
    func run(_ file: String) throws -> Int32 {
        let input = file == "-" ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC)
        guard input >= 0 else {
            complain("open `\(file)`: \(String(cString: strerror(errno)))")
            return 125
        }
        defer { if input != STDIN_FILENO { close(input) } }
        var output = Output(), lines = Lines(input, longest: Self.longestLine), failed = false, number = 0
        while let line = try lines.next() {
            number += 1
            if line.isEmpty { continue }
            // What has been asked is answered before more is waited for.
            try output.write(bytes: answer(line, number, &failed))
            if lines.isDrained { try output.flush() }
        }
        try output.flush()
        return failed ? 125 : 0
    }

    private func answer(_ line: [UInt8], _ number: Int, _ failed: inout Bool) -> [UInt8] {
        do throws(DryFailure) {
            return write(try explainer.explain(try BatchLine.subject(line))) + [0x0a]
        } catch {
            failed = true
            return Array("{\"error\":\(Escaped.json(error.message)),\"line\":\(number)}\n".utf8)
        }
    }

    private func write(_ e: Explanation) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(256)
        out += "{\"intents\":[".utf8
        list(e.intents.elements.map { intents[Int($0.rawValue)] }, &out)
        out += "],\"decision\":\"".utf8
        out += e.decision.name.utf8
        out += "\",\"rules\":[".utf8
        list(e.rules.map { rules[Int($0.rawValue)] }, &out)
        out += "],\"reason\":".utf8
        if let rule = e.rules.first { out += reasons[Int(rule.rawValue)] } else { out += Escaped.json(e.reason(explainer.policy)).utf8 }
        if e.decision == .rewrite, let rewrite = e.verdict.rewrite {
            out += ",\"rewritten\":[".utf8
            list(rewrite.arguments.map { Array(Escaped.json($0).utf8) }, &out)
            out.append(UInt8(ascii: "]"))
        }
        if let note = e.verdict.note { out += ",\"note\":\(Escaped.json(note))".utf8 }
        if !e.touches.isEmpty {
            out += ",\"files\":[".utf8
            list(e.touches.map { Array("{\"path\":\(Escaped.json($0.facts.path ?? [])),".utf8) + write($0).dropFirst() }, &out)
            out.append(UInt8(ascii: "]"))
        }
        if !e.starts.isEmpty {
            out += ",\"starts\":[".utf8
            list(e.starts.map { Array("{\"run\":".utf8) + run($0) + [UInt8(ascii: ",")] + write($0).dropFirst() }, &out)
            out.append(UInt8(ascii: "]"))
        }
        out.append(UInt8(ascii: "}"))
        return out
    }

    private func run(_ e: Explanation) -> [UInt8] {
        var out: [UInt8] = [UInt8(ascii: "[")]
        list(ArgumentRedaction.redact(e.arguments).map { Array(Escaped.json($0).utf8) }, &out)
        return out + [UInt8(ascii: "]")]
    }

    private func list(_ items: [[UInt8]], _ out: inout [UInt8]) {
        for (i, item) in items.enumerated() {
            if i > 0 { out.append(UInt8(ascii: ",")) }
            out += item
        }
    }
}

/// One line of a batch.
enum BatchLine {
    private static let subjects = ["run", "read", "write", "delete", "connect", "sql"].map { Array($0.utf8) }
    private static let dialect = Array("dialect".utf8)

    static func subject(_ line: [UInt8]) throws(DryFailure) -> DrySubject {
        let value: JSONValue
        do throws(JSONFailure) { value = try JSONValue(line) } catch {
            throw DryFailure(message: "not JSON: \(error.message) at byte \(error.offset)")
        }
        guard case .object(let members) = value else { throw DryFailure(message: "a line must be an object") }
        var subject: JSONValue.Member?, dialect: JSONValue?
        for member in members {
            if subjects.contains(member.key) {
                guard subject == nil else { throw DryFailure(message: "a line asks about one thing") }
                subject = member
            } else if member.key == Self.dialect {
                dialect = member.value
            } else {
                let name = String(decoding: member.key, as: UTF8.self)
                let known = (subjects + [Self.dialect]).map { String(decoding: $0, as: UTF8.self) }
                throw DryFailure(message: "unknown key `\(name)`: " + Suggestion.help(for: name, among: known))
            }
        }
        guard let subject else { throw DryFailure(message: "a line has one of run, read, write, delete, connect, sql") }
        return try make(subject, dialect)
    }

    private static func make(_ subject: JSONValue.Member, _ dialect: JSONValue?) throws(DryFailure) -> DrySubject {
        switch String(decoding: subject.key, as: UTF8.self) {
        case "run": return .run(try words(subject.value))
        case "read": return .read(try text(subject))
        case "write": return .write(try text(subject))
        case "delete": return .delete(try text(subject))
        case "connect": return .connect(String(decoding: try text(subject), as: UTF8.self))
        default:
            guard let dialect else { return .sql(try text(subject), .postgres) }
            guard case .string(let name) = dialect, let known = SQLDialect(rawValue: String(decoding: name, as: UTF8.self)) else {
                throw DryFailure(message: "`dialect` is none of postgres, mysql, sqlite, redis")
            }
            return .sql(try text(subject), known)
        }
    }

    private static func text(_ member: JSONValue.Member) throws(DryFailure) -> [UInt8] {
        guard case .string(let text) = member.value, !text.isEmpty, !text.contains(0) else {
            throw DryFailure(message: "`\(String(decoding: member.key, as: UTF8.self))` must be text")
        }
        return text
    }

    private static func words(_ value: JSONValue) throws(DryFailure) -> [[UInt8]] {
        guard case .array(let items) = value, !items.isEmpty else { throw DryFailure(message: "`run` must be a list of words") }
        var words: [[UInt8]] = []
        for item in items {
            guard case .string(let word) = item, !word.contains(0) else { throw DryFailure(message: "`run` must be a list of words") }
            words.append(word)
        }
        return words
    }
}

/// Lines of a descriptor, of bounded length.
struct Lines {
    private let descriptor: Int32
    private let longest: Int
    private var buffer: [UInt8] = []
    private var start = 0
    private var scanned = 0
    private var isEnd = false

    init(_ descriptor: Int32, longest: Int) {
        self.descriptor = descriptor
        self.longest = longest
    }

    /// The next line has not arrived yet.
    var isDrained: Bool { start == buffer.count }

    mutating func next() throws -> [UInt8]? {
        while true {
            while scanned < buffer.count, buffer[scanned] != 0x0a { scanned += 1 }
            if scanned < buffer.count || isEnd {
                if scanned == buffer.count, start == scanned { return nil }
                defer {
                    scanned = min(scanned + 1, buffer.count)
                    start = scanned
                }
                return Array(buffer[start..<scanned])
            }
            guard buffer.count - start <= longest else {
                complain("a line of more than \(longest) bytes")
                throw ExitCode(125)
            }
            try fill()
        }
    }

    private mutating func fill() throws {
        buffer.removeFirst(start)
        scanned -= start
        start = 0
        var chunk = [UInt8](repeating: 0, count: 1 << 18), count: Int
        repeat { count = read(descriptor, &chunk, chunk.count) } while count < 0 && errno == EINTR
        guard count >= 0 else {
            complain("read: \(String(cString: strerror(errno)))")
            throw ExitCode(125)
        }
        isEnd = count == 0
        buffer += chunk[..<count]
    }
}
