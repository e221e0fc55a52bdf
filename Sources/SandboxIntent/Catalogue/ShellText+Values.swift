/// What `$x` and `"$@"` stand for, where the text itself says so. That is more than what is written, never instead of it: a
/// variable may have another value by then.
extension ShellText {
    struct Values {
        /// `$0`, and what follows it; empty where nobody knows.
        var arguments: [[UInt8]] = []
        var variables: [[UInt8]: [UInt8]] = [:]
        /// How many more bytes they may be: a value can be made of values.
        var left = 1 << 16
        static let longest = 4096

        func value(of name: ArraySlice<UInt8>) -> [[UInt8]]? {
            switch name.first {
            case UInt8(ascii: "@"), UInt8(ascii: "*"): return arguments.count > 1 ? Array(arguments.dropFirst()) : nil
            case .some(UInt8(ascii: "0")...UInt8(ascii: "9")):
                guard let number = Int(String(decoding: name, as: UTF8.self)), arguments.indices.contains(number) else { return nil }
                return [arguments[number]]
            default: return variables[Array(name)].map { [$0] }
            }
        }
    }

    /// Reads the text as it is written, and once more with what it says of `$x` and `$1`: what is there only then comes last.
    package static func read(_ text: ArraySlice<UInt8>, given arguments: [[UInt8]] = []) -> ShellText {
        var plain = ShellText(text, depth: 0)
        plain.read()
        guard text.contains(UInt8(ascii: "$")), !arguments.isEmpty || plain.assigns else { return plain }
        var filled = ShellText(text, depth: 0)
        filled.values = Values(arguments: arguments)
        filled.read()
        plain.add(filled)
        return plain
    }

    /// After a `$`, with where its name ends; the text goes on there.
    private mutating func known() -> [[UInt8]]? {
        guard let found = values else { return nil }
        let isBraced = text[at...].first == UInt8(ascii: "{")
        let rest = text[(isBraced ? at + 1 : at)...]
        var name = rest.prefix(while: Self.isName)
        if let first = rest.first, name.isEmpty && "@*".utf8.contains(first) || !isBraced && (0x30...0x39).contains(first) {
            name = rest.prefix(1)
        }
        if isBraced, text[name.endIndex...].first != UInt8(ascii: "}") { return nil }
        guard !name.isEmpty, let value = found.value(of: name) else { return nil }
        let size = value.reduce(0) { $0 + $1.count + 1 }
        guard size <= found.left else { return nil }
        values?.left -= size
        at = isBraced ? name.endIndex + 1 : name.endIndex
        return value
    }

    /// Puts the value in the place of its name. False: it is not known. Between quotes it stays one word, but for `"$@"`.
    mutating func fill(isQuoted: Bool) -> Bool {
        let isList = text[at...].first { $0 != UInt8(ascii: "{") } == UInt8(ascii: "@")
        guard let value = known() else { return false }
        command.isLiteral = false
        let isWhole = isQuoted || command.words.isEmpty && word.map { Self.isAssignment($0[...]) } == true
        let blank: (UInt8) -> Bool = { " \t\n".utf8.contains($0) }
        let words =
            isWhole
            ? (isList ? value : [Array(value.joined(separator: " ".utf8))])
            : value.flatMap { $0.split(whereSeparator: blank).map(Array.init) }
        for (number, part) in words.enumerated() {
            if number > 0 { endWord() }
            if word == nil { word = [] }
            plain = plain ?? word?.count
            word?.append(contentsOf: part)
        }
        return true
    }

    /// `x=y`, where what stands for it is known.
    mutating func assign(_ word: [UInt8]) {
        assigns = true
        guard values != nil, let equals = word.firstIndex(of: UInt8(ascii: "=")) else { return }
        let value = word[(equals + 1)...]
        let isKnown = value.count <= Values.longest && !value.contains { "$`".utf8.contains($0) }
        values?.variables[Array(word[..<equals])] = isKnown ? Array(value) : nil
    }

    private static func isName(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte & 0xdf) || byte == UInt8(ascii: "_")
    }

    /// Words that assign, of `export` and its like.
    static let assigning = ["export", "declare", "typeset", "local", "readonly"].map { Array($0.utf8) }
}
