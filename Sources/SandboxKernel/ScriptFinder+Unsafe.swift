internal import CShims
internal import Glibc
internal import SandboxDecode
internal import SandboxModel

/// Opens a script as its client will: by the same name, from the same folder, with the same rights. One for each thread.
package final class ScriptFinder {
    private let resolver: Resolver
    private let identity: Identity
    private let name = PathBuffer()

    package init(_ context: KernelContext) {
        resolver = Resolver(context)
        identity = Identity(context)
    }

    /// A regular file; another is read when the client has opened it (`EOPNOTSUPP`).
    package func find(_ path: [UInt8], for caller: Caller) throws(Errno) -> InputSource {
        guard !path.isEmpty, !path.contains(0), path.count < 4096 else { throw Errno(ENOENT) }
        path.withUnsafeBytes { name.set($0) }
        let base = name.isAbsolute ? At.workingDirectory : try resolver.base(.workingDirectory, of: caller).release()
        defer { if base != At.workingDirectory { _ = sbx_close(base) } }
        let number = try identity.assumed(caller) { () throws(Errno) in
            let pin = try resolver.pin(name, from: base, Resolver.Options(follow: true), for: caller)
            var st = stat()
            _ = try Errno.check(sbx_fstat(pin.number, &st))
            guard st.st_mode & S_IFMT == S_IFREG else { throw Errno(EOPNOTSUPP) }
            return try Errno.check(resolver.open(pin.number, O_RDONLY | O_NONBLOCK | Flag.closeOnExec | Flag.noControllingTerminal))
        }
        guard let source = try InputSource(taking: Descriptor(number)) else { throw Errno(EACCES) }
        return source
    }
}

extension FileSubject {
    /// As the caller wrote it.
    package var givenText: [UInt8] { Array(given.text) }
}

extension FileWork {
    func dropSubstitute() {
        if substitute >= 0 { _ = sbx_close(substitute) }
        substitute = -1
    }

    /// It opens what is there, to read it and nothing else.
    package var onlyReads: Bool { opens && first.access == .read && first.kind != .directory && !mayProceed }

    /// What is pinned, as its caller may read it.
    package func source() throws(Errno) -> InputSource? {
        let number = try identity.assumed(caller) { () throws(Errno) in
            try Errno.check(resolver.open(first.pin, O_RDONLY | O_NONBLOCK | Flag.closeOnExec | Flag.noControllingTerminal))
        }
        return try InputSource(taking: Descriptor(number))
    }
}
