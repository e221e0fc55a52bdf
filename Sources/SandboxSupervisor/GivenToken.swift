internal import Glibc
internal import SandboxModel
internal import SandboxPolicy

/// The token that says for whom the session runs: from `--token-file`, or from `SANDBOX_TOKEN`.
struct GivenToken {
    static let variable = "SANDBOX_TOKEN"
    private let bytes: [UInt8]
    /// Where it lies, after all links, if that is a file: the session must not get at it.
    let file: [UInt8]?
    /// Larger ones are refused (`sandbox-identity`); a pipe takes so many at once.
    private static let most = 32 << 10

    /// nil where none was given.
    init?(_ path: String?) throws(RunFailure) {
        guard let path else {
            guard let value = getenv(GivenToken.variable), value.pointee != 0 else { return nil }
            (bytes, file) = (Array(String(cString: value).utf8.prefix(GivenToken.most + 1)), nil)
            return
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { throw RunFailure("`--token-file \(path)`: \(errorText(errno))") }
        defer { close(descriptor) }
        var status = stat()
        fstat(descriptor, &status)
        file = status.st_mode & S_IFMT == S_IFREG ? ProfileFiles.resolve(Array(path.utf8)) : nil
        guard var read = GivenToken.read(descriptor) else { throw RunFailure("`--token-file \(path)`: \(errorText(errno))") }
        while let last = read.last, last == 0x0a || last == 0x0d || last == 0x20 { read.removeLast() }
        guard !read.isEmpty else { throw RunFailure("`--token-file \(path)` is empty") }
        bytes = read
    }

    /// One byte more than may be, at the most.
    private static func read(_ descriptor: Int32) -> [UInt8]? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while bytes.count <= most {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            if count < 0 { return nil }
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        return Array(bytes.prefix(most + 1))
    }

    // MARK: Checking

    private static let program = "sandbox-identity"
    /// It looks at two addresses, ten seconds each at the most.
    private static let patience: Int32 = 30_000
    private static let longestAnswer = 1 << 20

    /// Where the program lies that checks tokens: beside this one, or where `make install` puts it.
    static func checker() -> String? {
        guard let own = realpath("/proc/self/exe", nil) else { return nil }
        defer { free(own) }
        let folder = ProfileFiles.parent(String(cString: own))
        return ["\(folder)/\(program)", "\(folder)/../libexec/sandbox/\(program)"].first { access($0, X_OK) == 0 }
    }

    /// Whom it names. Nothing has been started when this throws.
    func check(state: String) throws(RunFailure) -> VerifiedIdentity {
        guard let checker = GivenToken.checker() else {
            throw RunFailure(
                "a token was given, but `\(GivenToken.program)`, which checks it, is not installed",
                help: "`make install` puts it into libexec/sandbox")
        }
        guard let text = try answer(of: checker, state), let answer = VerifiedIdentity.read(text) else {
            throw RunFailure("`\(GivenToken.program)` did not say whether the token is good; nothing was run")
        }
        switch answer {
        case .success(let who): return who
        case .failure(let why): throw RunFailure(why.message + "; nothing was run", help: why.help)
        }
    }

    private func answer(of checker: String, _ state: String) throws(RunFailure) -> String? {
        var input: [Int32] = [-1, -1], output: [Int32] = [-1, -1]
        guard pipe(&input) == 0, pipe(&output) == 0 else { throw RunFailure("pipe: \(errorText(errno))") }
        for end in input + output { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let child = GivenToken.start(checker, state, input[0], output[1])
        close(input[0])
        close(output[1])
        defer { close(output[0]) }
        guard child > 0 else {
            close(input[1])
            throw RunFailure("exec `\(checker)`: \(errorText(-child))")
        }
        // A pipe holds 64 KiB, and it is the first thing that is read.
        _ = write(input[1], bytes, bytes.count)
        close(input[1])
        let text = GivenToken.hear(output[0])
        if text == nil { kill(child, SIGKILL) }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        return status == 0 ? text : nil
    }

    private static func hear(_ descriptor: Int32) -> String? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while bytes.count < longestAnswer {
            guard poll(&waiting, 1, patience) > 0 else { return nil }
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 { return nil }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk[..<count]
        }
        return nil
    }

    /// The process id, or `-errno`.
    private static func start(_ checker: String, _ state: String, _ input: Int32, _ output: Int32) -> Int32 {
        var actions = posix_spawn_file_actions_t(), attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        // All signals are blocked here.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let arguments: [String] = [checker, state]
        var words = arguments.map { strdup($0) } + [nil]
        var variables = environment.map { strdup($0) } + [nil]
        defer { for text in words + variables { free(text) } }
        var child: pid_t = 0
        let failed: Int32 = posix_spawn(&child, checker, &actions, &attributes, &words, &variables)
        return failed == 0 ? child : -failed
    }

    /// Where its configuration lies and which way leads out; and no picture of its memory, should it fail.
    private static var environment: [String] {
        let names = ["HOME", "XDG_CONFIG_HOME", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY", "LANG"]
        return names.compactMap { name in getenv(name).map { "\(name)=\(String(cString: $0))" } } + ["SWIFT_BACKTRACE=enable=no"]
    }
}

extension ResolvedProfile {
    /// The agent gets the token itself only where the profile names it: `environment: { keep: [SANDBOX_TOKEN] }`. A glob does not.
    var keepsToken: Bool { body.environment.keep?.contains { $0.text == GivenToken.variable } ?? false }
}
