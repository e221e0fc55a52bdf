extension ShellText {
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
}
