extension ShellText {
    /// What a command reads from its standard input.
    package enum Input: Sendable, Hashable {
        /// What the shell itself reads.
        case inherited
        case text([UInt8])
        /// A file, or what another command says.
        case other
    }

    /// What the next one of a pipeline reads, where that can be told: cat(1) of what it is given, echo(1) without what shells differ in,
    /// printf(1) of plain text.
    static func said(by command: Command) -> Input {
        let words = command.words.dropFirst()
        guard command.isLiteral, let name = command.words.first else { return .other }
        func joined(_ words: ArraySlice<[UInt8]>, _ blank: [UInt8]) -> [UInt8] { Array(words.joined(separator: blank)) }
        if name.elementsEqual("cat".utf8), words.isEmpty, case .text = command.input { return command.input }
        guard !words.dropFirst(name.elementsEqual("printf".utf8) ? 1 : 0).contains(where: { $0.contains(UInt8(ascii: "\\")) }) else {
            return .other
        }
        if name.elementsEqual("echo".utf8), words.first?.first != UInt8(ascii: "-") { return .text(joined(words, [0x20]) + [0x0a]) }
        guard name.elementsEqual("printf".utf8), let format = words.first else { return .other }
        if words.count == 1 { return format.contains(where: { "%\\".utf8.contains($0) }) ? .other : .text(format) }
        if format.elementsEqual("%s".utf8) { return .text(joined(words.dropFirst(), [])) }
        return format.elementsEqual("%s\\n".utf8) ? .text(joined(words.dropFirst(), [0x0a]) + [0x0a]) : .other
    }

    /// What a here-document runs to say what it says.
    static func substitutions(in content: [UInt8]) -> [ArraySlice<UInt8>] {
        var reader = ShellText(content[...], depth: 0)
        while reader.at < content.count {
            let byte = content[reader.at]
            reader.at += byte == UInt8(ascii: "\\") ? 2 : 1
            if "$`".utf8.contains(byte), reader.at < content.count { reader.substitution(byte) }
        }
        return reader.inner
    }

    /// `cd build`, where it is said plainly which one is meant.
    static func folder(after command: Command, in folder: [UInt8]) -> [UInt8] {
        guard let name = command.words.first, name.elementsEqual("cd".utf8) || name.elementsEqual("pushd".utf8) else { return folder }
        var words = command.words.dropFirst()[...]
        if words.first?.elementsEqual("--".utf8) == true { words = words.dropFirst() }
        if words.isEmpty { return Array("~".utf8) }
        guard words.count == 1, let to = words.first, !to.isEmpty, to.first != UInt8(ascii: "-"),
            !(to.first == UInt8(ascii: "~") ? to.dropFirst() : to[...]).contains(where: { Self.isSpecial[Int($0)] })
        else { return folder }
        let place = path(to, in: folder)
        return place.count <= longestPath ? place : folder
    }
    private static let longestPath = 4096

    /// A name as it is meant in a folder; the home is the same everywhere.
    package static func path(_ path: [UInt8], in folder: [UInt8]) -> [UInt8] {
        folder.isEmpty || path.isEmpty || "/~$".utf8.contains(path[0]) ? path : folder + [UInt8(ascii: "/")] + path
    }

    /// Up to its `'`: what the text says, and where that is; where there is none, the end.
    static func ansi(_ text: ArraySlice<UInt8>) -> (said: [UInt8], end: Int) {
        var said: [UInt8] = [], at = text.startIndex
        func digits(_ most: Int, _ base: Int) -> Int? {
            let taken = text[at...].prefix(most).prefix { Int(String(UnicodeScalar($0)), radix: base) != nil }
            at += taken.count
            return Int(String(decoding: taken, as: UTF8.self), radix: base)
        }
        while at < text.endIndex, text[at] != UInt8(ascii: "'") {
            let byte = text[at]
            at += 1
            guard byte == UInt8(ascii: "\\"), at < text.endIndex else {
                said.append(byte)
                continue
            }
            let sign = text[at]
            at += 1
            switch sign {
            case UInt8(ascii: "x"): said += digits(2, 16).map { [UInt8($0)] } ?? [byte, sign]
            case UInt8(ascii: "u"), UInt8(ascii: "U"):
                let scalar = digits(sign == UInt8(ascii: "u") ? 4 : 8, 16).flatMap { UnicodeScalar(UInt32(truncatingIfNeeded: $0)) }
                said += scalar.map { Array(String($0).utf8) } ?? [byte, sign]
            case UInt8(ascii: "0")...UInt8(ascii: "7"):
                at -= 1
                said.append(UInt8(truncatingIfNeeded: digits(3, 8) ?? 0))
            case UInt8(ascii: "c") where at < text.endIndex:
                said.append(text[at] & 0x1f)
                at += 1
            default: said += Self.signs[sign].map { [$0] } ?? [byte, sign]
            }
        }
        return (said, at)
    }
    private static let signs: [UInt8: UInt8] = {
        var table: [UInt8: UInt8] = [:]
        for (sign, byte) in zip("abeEfnrtv\\'\"?".utf8, [7, 8, 27, 27, 12, 10, 13, 9, 11, 92, 39, 34, 63] as [UInt8]) { table[sign] = byte }
        return table
    }()

    static func isAssignment(_ word: ArraySlice<UInt8>) -> Bool {
        guard let equals = word.firstIndex(of: UInt8(ascii: "=")), equals > 0 else { return false }
        return word[..<equals].allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5a).contains($0 & 0xdf) || $0 == UInt8(ascii: "_") }
    }

    /// Before a command.
    static let leads = [
        "if", "then", "elif", "else", "while", "until", "do", "!", "{", "time", "exec", "command", "builtin", "coproc",
    ].map {
        Array($0.utf8)
    }
    static let heads = ["for", "case", "select", "function"].map { Array($0.utf8) }
    /// What the shell does itself, without a program.
    static let own = [
        "fi", "done", "esac", "}", "cd", ":", "set", "unset", "export", "readonly", "local", "declare", "typeset", "umask", "ulimit",
        "shift",
        "return", "break", "continue", "exit", "wait", "trap", "true", "false", "[", "[[", "pushd", "popd", "shopt", "read", "eval",
        "source", ".",
    ].map { Array($0.utf8) }
    /// What these do is in other text.
    static let opaque = ["eval", "source", ".", "trap"].map { Array($0.utf8) }

    static let isSpecial: [Bool] = {
        var table = [Bool](repeating: false, count: 256)
        for byte in "$`*?[]~!{}^%".utf8 { table[Int(byte)] = true }
        return table
    }()
    static func ends(_ byte: UInt8) -> Bool { " \t\n;&|".utf8.contains(byte) }
}
