/// Shell text, as far as it can be told before it runs: the simple commands that stand in it, word for word.
///
/// What a word becomes only when it runs (a variable, a pattern, the output of a command) is not guessed: such a command is not
/// literal. It counts as it is written, and once more with the values that the text itself gives. Where a command may or may not run (`if`, `&&`), it counts. Of sh(1), bash(1) and zsh(1) together: what any of them reads
/// differently is not literal.
package struct ShellText {
    package struct Command: Sendable, Hashable {
        package var words: [[UInt8]] = []
        /// Every byte of its words stands for itself.
        package var isLiteral = true
        package var input = Input.inherited
        /// Where the shell is by then, seen from where it began; empty: still there.
        package var folder: [UInt8] = []
        /// Which program it is can be told, whatever its other words become.
        package var isNamed: Bool { isLiteral || !Catalogue.base(words[0][...]).contains { ShellText.isSpecial[Int($0)] } }
    }
    package private(set) var commands: [Command] = []
    /// All that it starts is in `commands`, each of them literal.
    package private(set) var isComplete = true
    /// Files that its redirections name, and what is done to them.
    package private(set) var touches: [(touch: Touch, path: [UInt8])] = []

    /// What the environment of its commands is given: `A=b`.
    package private(set) var variables: [[UInt8]] = []

    let text: ArraySlice<UInt8>
    private let depth: Int
    var at: Int
    private var folder: [UInt8] = []
    /// Where each group began that is still open: what is changed in it ends with it.
    private var folders: [[UInt8]] = []
    /// Commands whose output is part of a quoted word.
    private(set) var inner: [ArraySlice<UInt8>] = []
    private static let maximumDepth = 8, mostTouches = 256
    /// Here-documents that begin with the next line.
    private var documents: [(mark: [UInt8], isIndented: Bool, isQuoted: Bool, command: Int)] = []
    /// Commands whose output the next one reads.
    private var feeds: Set<Int> = []
    var command = Command()
    var word: [UInt8]?
    /// How much of the word stands before its first quote.
    var plain: Int?
    /// What names stand for, where they are filled in.
    var values: Values?
    /// It gives a variable a value; and what stands so before the next command.
    var assigns = false
    private var assigned: [[UInt8]] = []
    private static let mostVariables = 64
    /// The next word is where a redirection leads.
    private var isTarget = false
    /// What is done to the file there; of a copy it may be a descriptor's number.
    private var target: (touch: Touch, isCopy: Bool)?
    /// Of a here-string: the next word is the input itself.
    private var isInput = false
    /// The next word is a pattern, a name or a list: after `for` and `case`.
    private var isHead = false
    /// There was a `case`; and after `;;` stands a pattern of it, up to a `)`.
    private var hasCase = false
    private var followsBreak = false
    /// A word of the shell's own stands before the command, such as `exec`; and its option, such as `-a`, takes the next word.
    /// `time` is a program where it has options of its own: dash(1) has no such word.
    private var isLed = false, isTimed = false
    private var namesItself = false
    /// Between the parentheses of `name=(…)` are no commands.
    private var isArray = false

    init(_ text: ArraySlice<UInt8>, depth: Int) {
        self.text = text
        self.depth = depth
        at = text.startIndex
    }

    mutating func read() {
        while at < text.endIndex {
            let byte = text[at]
            at += 1
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"): endWord()
            case UInt8(ascii: ";"):
                endCommand()
                if text[at...].first == byte { followsBreak = true }
            case UInt8(ascii: "\n"):
                endCommand()
                passDocuments()
            case UInt8(ascii: "&"), UInt8(ascii: "|"):
                let isPipe = byte == UInt8(ascii: "|") && text[at...].first != byte
                if text[at...].first == byte { at += 1 }
                // `|&`, `&>`
                if byte == UInt8(ascii: "|"), text[at...].first == UInt8(ascii: "&") { at += 1 }
                if byte == UInt8(ascii: "&"), text[at...].first == UInt8(ascii: ">") {
                    redirect(.write)
                } else {
                    endCommand(isPipe: isPipe)
                }
            case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "`"): parenthesis(byte)
            case UInt8(ascii: "<"), UInt8(ascii: ">"): redirection(byte)
            case UInt8(ascii: "#") where word == nil: at = text[at...].firstIndex(of: UInt8(ascii: "\n")) ?? text.endIndex
            case UInt8(ascii: "'"): quote(UInt8(ascii: "'"))
            case UInt8(ascii: "\""): quote(UInt8(ascii: "\""))
            case UInt8(ascii: "$") where text[at...].first == UInt8(ascii: "'"): ansiQuote()
            // A text that is translated: what it says may be another word.
            case UInt8(ascii: "$") where text[at...].first == UInt8(ascii: "\""): command.isLiteral = false
            case UInt8(ascii: "\\"):
                guard at < text.endIndex else {
                    add(byte)
                    break
                }
                if text[at] != UInt8(ascii: "\n") { add(text[at], isQuoted: true) }
                at += 1
            case let byte where Self.isSpecial[Int(byte)]: special(byte)
            default: add(byte)
            }
        }
        endCommand()
        for text in inner where depth < Self.maximumDepth {
            var reader = ShellText(text, depth: depth + 1)
            reader.values = values
            reader.read()
            values?.left = reader.values?.left ?? 0
            assigns = assigns || reader.assigns
            commands += reader.commands.map { Command(words: $0.words, isLiteral: false, folder: $0.folder) }
            variables += reader.variables
            touches += reader.touches
        }
    }

    /// What another reading of the text found besides.
    mutating func add(_ other: ShellText) {
        let known = Set(commands.map(\.words)), seen = Set(touches.map(\.path)), given = Set(variables)
        variables += other.variables.filter { !given.contains($0) }
        commands += other.commands.filter { !known.contains($0.words) }
        touches += other.touches.filter { !seen.contains($0.path) }
    }

    // MARK: Words

    private mutating func add(_ byte: UInt8, isQuoted quoted: Bool = false) {
        if word == nil { word = [] }
        if quoted { plain = plain ?? word?.count }
        word?.append(byte)
    }

    /// It stands for something else: the word is kept as it is written.
    private mutating func special(_ byte: UInt8) {
        if byte == UInt8(ascii: "$"), fill(isQuoted: false) { return }
        add(byte)
        // A lone `{`, `}` or `!` is a word of the shell's own.
        let isAlone = word?.count == 1 && (at == text.endIndex || Self.ends(text[at]))
        if !isAlone || !"{}![]".utf8.contains(byte) { command.isLiteral = false }
    }

    private mutating func quote(_ mark: UInt8) {
        if word == nil { word = [] }
        plain = plain ?? word?.count
        while at < text.endIndex, text[at] != mark {
            var byte = text[at]
            at += 1
            if mark == UInt8(ascii: "\"") {
                if byte == UInt8(ascii: "\\"), let next = text[at...].first, "\\\"$`\n".utf8.contains(next) {
                    byte = next
                    at += 1
                    if byte == UInt8(ascii: "\n") { continue }
                } else if "$`!".utf8.contains(byte) {
                    command.isLiteral = false
                    if byte == UInt8(ascii: "$"), fill(isQuoted: true) { continue }
                    substitution(byte)
                }
            }
            word?.append(byte)
        }
        if at == text.endIndex { (isComplete, command.isLiteral) = (false, false) }
        at = min(at + 1, text.endIndex)
    }

    /// `$'…'` of bash(1); dash(1) reads it otherwise.
    private mutating func ansiQuote() {
        plain = plain ?? word?.count ?? 0
        let (said, end) = Self.ansi(text[(at + 1)...])
        // Appended in place: a word may have many of them.
        if word == nil { word = [] }
        word?.append(contentsOf: said)
        command.isLiteral = false
        if end == text.endIndex { isComplete = false }
        at = min(end + 1, text.endIndex)
    }

    /// `$(…)` and `` `…` `` within quotes, up to where they end.
    mutating func substitution(_ mark: UInt8) {
        let isOld = mark == UInt8(ascii: "`")
        guard isOld || mark == UInt8(ascii: "$") && text[at...].first == UInt8(ascii: "(") else { return }
        let start = isOld ? at : at + 1
        var level = 1
        at = start
        while at < text.endIndex {
            let byte = text[at]
            if byte == UInt8(ascii: "\\") { at += 1 }
            if byte == (isOld ? mark : UInt8(ascii: ")")) { level -= 1 } else if byte == UInt8(ascii: "(") { level += isOld ? 0 : 1 }
            if level == 0 { break }
            at += 1
        }
        at = min(at, text.endIndex)
        inner.append(text[start..<at])
        at = min(at + 1, text.endIndex)
    }

    mutating func endWord() {
        guard let done = word else { return }
        let before = plain ?? done.count
        (word, plain) = (nil, nil)
        if isTarget {
            if isInput { command.input = command.isLiteral ? .text(done + [0x0a]) : .other } else { touched(done) }
            (isTarget, isInput) = (false, false)
            return
        }
        // `function f { a; }`
        if isHead, done.elementsEqual("{".utf8), command.words.first?.elementsEqual("function".utf8) == true {
            (command, isHead, isComplete) = (Command(folder: folder), false, false)
            return
        }
        if command.words.isEmpty {
            if isLed, before == done.count, passes(done) { return }
            if Self.isAssignment(done[..<before]) {
                assign(done)
                assigned.append(done)
                return
            }
            if before == done.count, Self.leads.contains(where: { $0 == done }) {
                (isLed, isTimed) = (true, done.elementsEqual("time".utf8))
                return
            }
            if before == done.count, Self.heads.contains(where: { $0 == done }) {
                isHead = true
                hasCase = hasCase || done.elementsEqual("case".utf8)
            }
        }
        if isTimed, command.words.isEmpty, done.first == UInt8(ascii: "-") { command.words.append(Array("time".utf8)) }
        command.words.append(done)
    }

    /// `time -p PROGRAM`, `exec -a NAME PROGRAM`, but not `command -v PROGRAM`.
    private mutating func passes(_ word: [UInt8]) -> Bool {
        if namesItself {
            namesItself = false
            return true
        }
        namesItself = word.elementsEqual("-a".utf8)
        return namesItself || ["-p", "-c", "-l", "--"].contains { word.elementsEqual($0.utf8) }
    }

    private mutating func endCommand(isPipe: Bool = false) {
        endWord()
        if !command.words.isEmpty { variables += assigned.prefix(max(Self.mostVariables - variables.count, 0)) }
        let done = command, before = commands.count
        assigned = []
        if !done.words.isEmpty { followsBreak = false }
        defer {
            if !isPipe { folder = Self.folder(after: done, in: folder) }
            command = Command(folder: folder)
            (isTarget, isInput, isHead) = (false, false, false)
            (isLed, isTimed, namesItself) = (false, false, false)
            if isPipe { command.input = Self.said(by: done) }
            if isPipe, commands.count > before { feeds.insert(before) }
        }
        guard !isHead, !isArray, let name = done.words.first else {
            if !done.isLiteral || isHead || isArray { isComplete = false }
            return
        }
        if !done.isLiteral || name.first == UInt8(ascii: "-") || Self.opaque.contains(where: { $0 == name }) { isComplete = false }
        // `exec -a NAME PROGRAM`, `command -v PROGRAM`
        if name.first == UInt8(ascii: "-") { return }
        if name.elementsEqual("eval".utf8) { inner.append(Array(done.words.dropFirst().joined(separator: " ".utf8))[...]) }
        if Self.assigning.contains(where: { $0 == name }) {
            for word in done.words.dropFirst() where Self.isAssignment(word[...]) {
                assign(word)
                if variables.count < Self.mostVariables, name.elementsEqual("export".utf8) { variables.append(word) }
            }
        }
        if name.elementsEqual("trap".utf8), done.words.count > 2 { inner.append(done.words[1][...]) }
        if !Self.own.contains(where: { $0 == name }) { commands.append(done) }
    }

    // MARK: Redirections and groups

    private mutating func redirect(_ touch: Touch) {
        endWord()
        target = (touch, false)
        while let next = text[at...].first, ">|&".utf8.contains(next) {
            if next == UInt8(ascii: "&") { target?.isCopy = true } else if next == UInt8(ascii: ">") { target?.touch = .write }
            at += 1
        }
        isTarget = true
    }

    /// What it leads to where the shell has no say in it, but for the home.
    private mutating func touched(_ word: [UInt8]) {
        guard let target, !word.isEmpty, word != Array("-".utf8), touches.count < Self.mostTouches,
            !(word.first == UInt8(ascii: "~") ? word.dropFirst() : word[...]).contains(where: { Self.isSpecial[Int($0)] })
        else { return }
        if target.isCopy, word.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") }) { return }
        touches.append((target.touch, Self.path(word, in: folder)))
    }

    private mutating func redirection(_ byte: UInt8) {
        // `2>` is a descriptor's number.
        if let number = word, number.allSatisfy({ (0x30...0x39).contains($0) }) { word = nil }
        let next = text[at...].first
        if next == UInt8(ascii: "(") {
            (isComplete, command.isLiteral) = (false, false)
            return
        }
        if byte == UInt8(ascii: "<"), next == UInt8(ascii: "<") {
            at += 1
            if text[at...].first != UInt8(ascii: "<") { return hereDocument() }
            at += 1
            isInput = true
        } else if byte == UInt8(ascii: "<") {
            command.input = .other
        }
        let isString = isInput
        redirect(byte == UInt8(ascii: "<") ? .read : .write)
        isInput = isString
    }

    /// Its text is what the command reads, not what the shell runs; it begins after the line's end.
    private mutating func hereDocument() {
        isComplete = false
        let isIndented = text[at...].first == UInt8(ascii: "-")
        if isIndented { at += 1 }
        while let byte = text[at...].first, byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { at += 1 }
        let mark = text[at...].prefix { !Self.ends($0) && !"<>()".utf8.contains($0) }
        at += mark.count
        let plain = mark.filter { !"'\"\\".utf8.contains($0) }
        endWord()
        documents.append((plain, isIndented, plain.count < mark.count, commands.count))
        command.input = .other
    }

    private mutating func passDocuments() {
        for (mark, isIndented, isQuoted, command) in documents {
            var content: [UInt8] = []
            while at < text.endIndex {
                let end = text[at...].firstIndex(of: UInt8(ascii: "\n")) ?? text.endIndex
                let line = isIndented ? text[at..<end].drop { $0 == UInt8(ascii: "\t") } : text[at..<end]
                at = min(end + 1, text.endIndex)
                if line.elementsEqual(mark) { break }
                content += line + [UInt8(ascii: "\n")]
            }
            if !isQuoted { inner += Self.substitutions(in: content) }
            // The shell has a say in what is not quoted.
            guard commands.indices.contains(command), isQuoted || !content.contains(where: { "$`\\".utf8.contains($0) }) else { continue }
            commands[command].input = .text(content)
            if feeds.contains(command), commands.indices.contains(command + 1) {
                commands[command + 1].input = Self.said(by: commands[command])
            }
        }
        documents = []
    }

    /// A group, a function, an array, a pattern of `case`: what stands in a group counts, and nothing is literal about it.
    private mutating func parenthesis(_ byte: UInt8) {
        isComplete = false
        command.isLiteral = false
        let opens = byte == UInt8(ascii: "("), isFirst = command.words.isEmpty
        // One word, and nothing else: in fish(1) the same signs stand for other things.
        let isFunction = opens && isFirst && text[at...].first == UInt8(ascii: ")")
        let isPattern = byte == UInt8(ascii: ")") && isFirst && followsBreak && hasCase
        let startsArray = opens && isFirst && word.map { Self.isAssignment($0[...]) && $0.last == UInt8(ascii: "=") } == true
        // The name of a function is no command, nor is a pattern.
        if isFunction || isPattern { (command, word, plain) = (Command(isLiteral: false), nil, nil) }
        endCommand()
        if opens { folders.append(folder) } else if byte == UInt8(ascii: ")"), let before = folders.popLast() { folder = before }
        command.folder = folder
        followsBreak = false
        isArray = startsArray
    }
}
