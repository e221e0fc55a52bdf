/// Takes secrets out of an argument vector before it is recorded.
///
/// Names decide first: `--password=…`, `--token …`, `API_KEY=…`, `-p…` of mysql, `https://user:…@host`, `?sig=…`,
/// `Authorization: Bearer …`, `{"password": …}`. Then the look, where it leaves no doubt (`TokenShape`). An argument with blanks in
/// it (the text for `sh -c`) is looked at word by word. Where in doubt the value is masked: a trail is kept for years.
package enum ArgumentRedaction {
    package static let mask = Array("***".utf8)

    package static func redact(_ arguments: [[UInt8]], byEntropy entropy: Bool = false) -> [[UInt8]] {
        guard let first = arguments.first else { return [] }
        let whole = arguments.dropFirst().map { SecretText.masked($0) }
        let name = programName(first)
        return [first] + redact(words: whole, of: name, isCommand: !seekers.contains(name)).map { TokenShape.masked($0, entropy: entropy) }
    }

    /// False where no argument but the program's own name has anything that a secret is known by: an option, a `=`, a `:`, a tag,
    /// a blank, the look of a token, or the name of a program that takes one by its place. Most program starts are such.
    package static func mayHoldSecrets(_ arguments: Span<UInt8>) -> Bool {
        var start = 0, name = 0
        while start < arguments.count, arguments[start] != 0 {
            start += 1
            if arguments[start - 1] == 0x2f { name = start }
        }
        for i in start..<arguments.count {
            let byte = arguments[i]
            if byte == 0x2d || byte == 0x3d || byte == 0x3a || byte == 0x40 || byte == 0x3c || Bytes.isBlank(byte) { return true }
        }
        return ProgramOptions.takeSecretsByPlace(arguments, from: name)
            || SecretName.isWord(in: arguments.extracting(start..<arguments.count))
            || TokenShape.mayBe(in: arguments.extracting(start..<arguments.count))
    }

    // MARK: Words

    /// What the next word is.
    enum Expectation: Equatable {
        case nothing, secret, userAndSecret, cookie, pair
        /// A secret, behind the options that may stand before it.
        case word
    }

    /// `isCommand`: a word may say what the next one is; in a message to be committed it does not.
    private static func redact(words: some Sequence<[UInt8]>, of program: String, isCommand: Bool = true) -> [[UInt8]] {
        var out: [[UInt8]] = []
        var next: Expectation = .nothing
        var configures = false
        var program = program
        var place = ProgramOptions.Place(program)
        var name: [UInt8] = []
        var asks = isCommand
        var shell = false
        /// The quote that a masked value began with: what follows belongs to it until it is closed.
        var open: UInt8?
        for word in words {
            if let quote = open {
                out.append(mask)
                if word.contains(quote) { open = nil }
                continue
            }
            let expected = next
            next = .nothing
            let isSecret = place.holdsSecret(word)
            // `-genkey -storepass …`: no secret is called like one.
            let isOption =
                word.starts(with: Array((expected == .word ? "-" : "--").utf8))
                || word.first == UInt8(ascii: "-") && !word.contains(0x3d) && SecretName.says(word[...])
                // `-A bearer -a …`
                || word.count == 2 && word.first == UInt8(ascii: "-") && SecretName.isScheme(name)
            let shown =
                isSecret && expected == .nothing
                ? mask
                : expected == .nothing || isOption
                    ? redact(word, of: shell && word.contains(0x20) ? "sh" : program, expecting: &next) : masking(word, expected, name)
            if isOption, expected == .word, next == .nothing { next = .word }
            // `git config github.token VALUE`, `aws configure set aws_secret_access_key VALUE`
            if configures, next == .nothing, word.first != UInt8(ascii: "-"), !word.contains(0x3d), SecretName.says(word[...]) {
                next = .secret
            }
            configures = configures || isConfiguring(word)
            if next == .nothing, asks, SecretName.isWord(word) { next = .word }
            // `password: VALUE` in a shell's text
            if next == .nothing, asks, word.last == UInt8(ascii: ":"), SecretName.says(word.dropLast()) { next = .secret }
            shell = shell || (2...9).contains(word.count) && shells.contains(programName(word))
            if isCommand { asks = endsCommand(word) || asks && !((2...8).contains(word.count) && seekers.contains(programName(word))) }
            // `Bearer TOKEN`, `password = TOKEN`
            if SecretName.isScheme(word) || word.elementsEqual("=".utf8) && SecretName.says(name[...]) { next = .secret }
            if shown != word { open = unclosedQuote(word) }
            // `env`, `sudo` and `xargs` start others; a text names several.
            if let other = ProgramOptions.known(program, word) ?? ProgramOptions.known(word) {
                program = other
                place = ProgramOptions.Place(other)
            }
            name = word
            out.append(shown)
        }
        return out
    }

    /// Behind one of these a name may have its value in the next word.
    private static let configuring = Set(["config", "configure", "set", "setenv", "--arg", "--argstr"].map { Array($0.utf8) })
    private static func isConfiguring(_ word: [UInt8]) -> Bool {
        guard word.count > 2, word.count < 16, word.last.map(Bytes.isName) ?? false else { return false }
        return configuring.contains(Bytes.unquoted(word))
    }

    private static func masking(_ word: [UInt8], _ expected: Expectation, _ name: [UInt8]) -> [UInt8] {
        switch expected {
        case .userAndSecret: ProgramOptions.maskingAfter(":,%", word)
        case .pair: ProgramOptions.maskingAfter("=", word)
        // Without a `=` it is the name of a file (curl(1), --cookie).
        case .cookie: word.contains(UInt8(ascii: "=")) ? mask : word
        // Masked already, with what stands around it.
        default:
            SecretName.counts(name[...], word) || SecretName.isSource(word, of: name) || Bytes.position(of: mask, in: word) != nil
                ? word : mask
        }
    }

    private static func unclosedQuote(_ word: [UInt8]) -> UInt8? {
        guard let quote = word.first(where: { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "'") }) else { return nil }
        return word.count(where: { $0 == quote }) % 2 == 1 ? quote : nil
    }

    /// `A=B=C=…`: so many names are looked at, what comes behind them is masked. A hostile argument of 64 KiB of `=`
    /// would otherwise cost 64 Ki copies and as many stack frames, on the tracer's thread.
    private static let deepest = 8

    private static func redact(_ given: [UInt8], of program: String, expecting next: inout Expectation, depth: Int = 0) -> [UInt8] {
        if depth == deepest { return mask }
        if !given.contains(where: isTelling) { return given }
        if let (before, masked) = SecretText.maskingHeader(given) {
            // Nothing of that header is in it: it grows shorter by one of a few each time.
            return (before.contains(where: Bytes.isBlank) ? redact(before, of: program, expecting: &next, depth: depth) : before) + masked
        }
        if let blank = given.firstIndex(where: Bytes.isBlank) {
            if let whole = maskingWhole(given, before: blank, of: program, expecting: &next) { return whole }
            return redactText(given, of: program)
        }
        if let short = ProgramOptions.masking(given, of: program, expecting: &next) { return short }
        let word = SecretText.maskingUsers(given)
        if let member = maskingMember(word) { return member }
        let query = word.firstIndex { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "&") || $0 == UInt8(ascii: "#") }
        guard let equals = word.firstIndex(of: UInt8(ascii: "=")), equals < query ?? .max else {
            if query != nil { return SecretText.maskingQuery(word) }
            if word.first == UInt8(ascii: "-"), SecretName.says(word[...]) { next = .secret }
            return word
        }
        let name = word[..<equals], value = Array(word[(equals + 1)...])
        if SecretName.says(name), !SecretName.counts(name, value) { return name + [word[equals]] + mask }
        // `--env=KEY=VALUE`: the name that counts is the last one before the value.
        return name + [word[equals]] + redact(value, of: program, expecting: &next, depth: depth + 1)
    }

    /// Without one of these a word says nothing by itself: most are told from others at once.
    private static func isTelling(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x2d, 0x2f, 0x3d, 0x3a, 0x40, 0x3f, 0x26, 0x23: true  // - / = : @ ? & #
        default: Bytes.isBlank(byte)
        }
    }

    /// `--passphrase='correct horse'`, `-p'correct horse'`: the blanks are the secret's own. Where others follow with a `=`, or a shell is to
    /// read it, it is a text.
    private static func maskingWhole(
        _ given: [UInt8], before blank: Int, of program: String, expecting next: inout Expectation
    ) -> [UInt8]? {
        if shells.contains(program) { return nil }
        if let short = ProgramOptions.masking(given, of: program, expecting: &next) { return short }
        guard let equals = given[..<blank].lastIndex(of: 0x3d), equals > 0, !given[blank...].contains(0x3d),
            !given[..<equals].contains(UInt8(ascii: ":")), SecretName.says(given[..<equals])
        else { return nil }
        return given[...equals] + mask
    }

    /// What they are given is looked for.
    private static let seekers: Set<String> = ["grep", "egrep", "fgrep", "zgrep", "rg", "ag", "ack", "git", "find", "apt", "man"]

    private static let shells: Set<String> = ["sh", "bash", "dash", "zsh", "ksh", "ash", "su"]

    /// `;`, `&&`, `||`
    private static func endsCommand(_ word: [UInt8]) -> Bool {
        word.last == UInt8(ascii: ";") || word.last == UInt8(ascii: "&") || word.last == UInt8(ascii: "|")
    }

    /// The text of `sh -c`: its words, with their separators kept.
    private static func redactText(_ text: [UInt8], of program: String) -> [UInt8] {
        var words: [[UInt8]] = [[]]
        var separators: [UInt8] = []
        for byte in text {
            if Bytes.isBlank(byte) {
                separators.append(byte)
                words.append([])
            } else {
                words[words.count - 1].append(byte)
            }
        }
        if ProgramOptions.readsSecret(text) { words = ProgramOptions.maskingPrinted(words) }
        let shown = redact(words: words, of: words.first.map(programName) ?? program, isCommand: shells.contains(program))
        var out = shown[0]
        for (separator, word) in zip(separators, shown.dropFirst()) { out += [separator] + word }
        return out
    }

    /// `smtp_password:…`, `/password:…`
    private static func maskingMember(_ word: [UInt8]) -> [UInt8]? {
        guard let colon = word.firstIndex(of: UInt8(ascii: ":")), !word[..<colon].dropFirst().contains(where: { $0 == 0x3d || $0 == 0x2f }),
            SecretName.says(word[..<colon])
        else { return nil }
        let value = word[(colon + 1)...]
        // A path, the name of a test, a JSON member that was looked at already, the end of a prompt.
        let isOther = value.first == UInt8(ascii: "/") || value.first == UInt8(ascii: ":") || word[colon - 1] == UInt8(ascii: "\"")
        return isOther || !value.contains(where: { Bytes.isName($0) || $0 >= 0x80 }) ? nil : word[...colon] + mask
    }

    static func programName(_ path: [UInt8]) -> String {
        String(decoding: path.split(separator: UInt8(ascii: "/")).last ?? [], as: UTF8.self)
    }
}
