/// Where text of another kind holds shell text.
enum CommandsInside: Sendable {
    /// What programs of awk(1) and sed(1) hand to a shell: `system("…")`, `"…" | getline`, `print | "…"`; `e …`, `s/…/…/e`.
    case awk, sed
    /// Of a list as in JSON each string is a line: `["cd /x", "rm \"y\""]`. What is no list is itself the text.
    case lines

    func texts(in program: ArraySlice<UInt8>) -> [[UInt8]] {
        switch self {
        case .awk:
            var reader = AwkReader(text: program, at: program.startIndex)
            reader.read()
            return reader.found
        case .sed:
            var reader = SedReader(text: program, at: program.startIndex)
            reader.read()
            return reader.found
        case .lines: return [Self.lines(program)]
        }
    }

    private static func lines(_ text: ArraySlice<UInt8>) -> [UInt8] {
        guard let first = text.first(where: { $0 != 0x20 }), "[\"".utf8.contains(first) else { return Array(text) }
        var said: [UInt8] = [], at = text.startIndex, isInside = false
        while at < text.endIndex {
            if text[at] == UInt8(ascii: "\\"), isInside, at + 1 < text.endIndex {
                at += 1
                said.append(text[at] == UInt8(ascii: "n") ? 0x0a : text[at])
            } else if text[at] == UInt8(ascii: "\"") {
                if isInside { said.append(0x0a) }
                isInside.toggle()
            } else if isInside {
                said.append(text[at])
            }
            at += 1
        }
        return said
    }
}

/// Strings beside each other are one text; in the place of what only the run tells stands `{}`.
private struct AwkReader {
    let text: ArraySlice<UInt8>
    var at: Int
    var found: [[UInt8]] = []
    /// What stands beside each other so far; nil: no string among it.
    private var said: [UInt8] = [], hasString = false
    /// What comes next is a command: up to where the call, or the statement, ends.
    private var isCommand = false
    /// Parentheses that were open before it.
    private var level = 0, outer = 0
    /// A `/` after an operand divides.
    private var followsOperand = false

    init(text: ArraySlice<UInt8>, at: Int) {
        self.text = text
        self.at = at
    }

    mutating func read() {
        while at < text.endIndex {
            let byte = text[at]
            at += 1
            switch byte {
            case UInt8(ascii: "\""): string()
            case UInt8(ascii: "#"): at = text[at...].firstIndex(of: UInt8(ascii: "\n")) ?? text.endIndex
            case UInt8(ascii: "/") where !followsOperand: pattern()
            case UInt8(ascii: "("):
                level += 1
                if !isCommand { clear() }
            case UInt8(ascii: ")"):
                level -= 1
                if isCommand, level <= outer { end() }
                followsOperand = true
            case UInt8(ascii: "|") where text[at...].first == byte:
                at += 1
                end()
            case UInt8(ascii: "|"): pipe()
            case UInt8(ascii: " "), UInt8(ascii: "\t"): break
            case let byte where Self.isName(byte) || byte == UInt8(ascii: "$"): word()
            case let byte where ";{}\n,?:&<>=~!".utf8.contains(byte): end()
            default:
                operand()
                followsOperand = byte == UInt8(ascii: "]")
            }
        }
        end()
    }

    private mutating func string() {
        while at < text.endIndex, text[at] != UInt8(ascii: "\"") {
            if text[at] == UInt8(ascii: "\\"), at + 1 < text.endIndex {
                at += 1
                said.append(text[at] == UInt8(ascii: "n") ? 0x0a : text[at])
            } else {
                said.append(text[at])
            }
            at += 1
        }
        at = min(at + 1, text.endIndex)
        (hasString, followsOperand) = (true, true)
    }

    private mutating func pattern() {
        while at < text.endIndex, text[at] != UInt8(ascii: "/"), text[at] != UInt8(ascii: "\n") {
            at += text[at] == UInt8(ascii: "\\") ? 2 : 1
        }
        at = min(at + 1, text.endIndex)
        end()
        followsOperand = true
    }

    private mutating func word() {
        let start = at - 1
        at = text[at...].firstIndex { !Self.isName($0) } ?? text.endIndex
        let word = text[start..<at]
        if word.elementsEqual("system".utf8) {
            clear()
            (isCommand, outer) = (true, level)
        } else if ["print", "printf", "return", "getline", "in"].contains(where: { word.elementsEqual($0.utf8) }) {
            clear()
        } else if text[at...].first != UInt8(ascii: "(") {
            // `x`; but `f(` is a call.
            operand()
            followsOperand = true
        }
    }

    private mutating func operand() {
        if said.suffix(2) != Array("{}".utf8) { said += Array("{}".utf8) }
        followsOperand = false
    }

    private mutating func pipe() {
        if text[at...].first == UInt8(ascii: "&") { at += 1 }
        let isRead = text[at...].drop { " \t\n".utf8.contains($0) }.starts(with: "getline".utf8)
        isCommand = isRead
        end()
        (isCommand, outer) = (!isRead, level - 1)
    }

    private mutating func end() {
        if isCommand, hasString { found.append(said) }
        isCommand = false
        clear()
    }

    private mutating func clear() { (said, hasString, followsOperand) = ([], false, false) }

    private static func isName(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte & 0xdf) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
    }
}

/// GNU's sed, which alone runs commands.
private struct SedReader {
    let text: ArraySlice<UInt8>
    var at: Int
    var found: [[UInt8]] = []

    mutating func read() {
        while at < text.endIndex {
            let byte = text[at]
            at += 1
            switch byte {
            case UInt8(ascii: "/"): _ = part(byte)
            case UInt8(ascii: "\\"):
                guard let mark = next() else { return }
                _ = part(mark)
            case UInt8(ascii: "s"): substitution()
            case UInt8(ascii: "y"):
                guard let mark = next() else { return }
                _ = (part(mark), part(mark))
            case UInt8(ascii: "e"): say(line())
            case let byte where "rRwW#aic".utf8.contains(byte): _ = line()
            case let byte where ":btT".utf8.contains(byte): at = text[at...].firstIndex { ";\n}".utf8.contains($0) } ?? text.endIndex
            default: break
            }
        }
    }

    private mutating func next() -> UInt8? {
        guard at < text.endIndex else { return nil }
        defer { at += 1 }
        return text[at]
    }

    /// Up to a mark that no backslash stands before.
    private mutating func part(_ mark: UInt8) -> ArraySlice<UInt8> {
        let start = at
        while at < text.endIndex, text[at] != mark { at += text[at] == UInt8(ascii: "\\") ? 2 : 1 }
        at = min(at, text.endIndex)
        let end = at
        at = min(at + 1, text.endIndex)
        return text[start..<end]
    }

    /// It goes on where a backslash stands before its end: text that is inserted.
    private mutating func line() -> ArraySlice<UInt8> { part(UInt8(ascii: "\n")) }

    private mutating func say(_ command: ArraySlice<UInt8>) {
        let plain = command.drop { " \t".utf8.contains($0) }
        if !plain.isEmpty { found.append(Array(plain)) }
    }

    private mutating func substitution() {
        guard let mark = next() else { return }
        _ = part(mark)
        let other = part(mark)
        while at < text.endIndex, !";\n} \t".utf8.contains(text[at]) {
            if text[at] == UInt8(ascii: "w") { return _ = line() }
            if text[at] == UInt8(ascii: "e") { say(other) }
            at += 1
        }
    }
}
