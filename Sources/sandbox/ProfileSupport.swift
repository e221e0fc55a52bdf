internal import ArgumentParser
internal import Glibc
internal import SandboxPolicy
internal import SandboxSupervisor
internal import SandboxYAML

/// What the commands about profiles share.
enum ProfileSupport {
    /// Exit code for a failure of our own, as opposed to a profile that is not valid.
    static let ownFailure = ExitCode(125)

    /// Several lines, on standard error, that are safe to print already.
    static func say(_ text: String) {
        let bytes = Array((text + "\n").utf8)
        var written = 0
        while written < bytes.count {
            let count = Glibc.write(STDERR_FILENO, Array(bytes[written...]), bytes.count - written)
            if count < 0 && errno != EINTR { return }
            written += max(count, 0)
        }
    }

    /// A name, or a path: what `-p` takes. `isFile`: a file of that name comes first.
    static func source(_ profile: String, _ files: ProfileFiles, isFile: Bool = false) throws -> ProfileSource {
        do throws(ProfileLookupFailure) {
            if isFile, let found = try ProfileFiles.read(profile) { return found }
            if let found = try files.find(profile, from: nil) { return found }
        } catch {
            say("sandbox: \(error)")
            throw ownFailure
        }
        say("sandbox: \(files.missing(profile))")
        throw ownFailure
    }

    /// With all that it extends; what is wrong is said. A profile that is not valid is a failure of ours here: nothing can be judged.
    static func load(_ profile: String, isFile: Bool = false) throws -> ResolvedProfile {
        let files = ProfileFiles()
        let source = try source(profile, files, isFile: isFile)
        do throws(ProfileFailure) { return try ProfileLoader.load(source, lookup: files) } catch {
            say(error.description)
            throw ownFailure
        }
    }

    /// A new file; never over what is there already.
    static func write(_ text: String, to path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard file >= 0 else {
            let isThere = errno == EEXIST, code = failure("open", path)
            if isThere { say("  help: nothing is written over; take it away, or give another name") }
            throw code
        }
        defer { close(file) }
        var bytes = Array(text.utf8)
        while !bytes.isEmpty {
            let count = Glibc.write(file, bytes, bytes.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("write", path) }
            bytes.removeFirst(count)
        }
    }

    /// Says what failed.
    static func failure(_ call: String, _ path: String) -> ExitCode {
        complain("\(call) `\(path)`: \(String(cString: strerror(errno)))")
        return ownFailure
    }

    static func compile(_ profile: ResolvedProfile, _ variables: PolicyVariables) throws -> Policy {
        do throws(PolicyFailure) { return try Policy.compile(profile: profile, variables: variables) } catch {
            complain(error.description)
            throw ownFailure
        }
    }
}
