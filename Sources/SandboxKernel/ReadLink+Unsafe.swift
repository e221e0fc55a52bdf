internal import CShims
internal import Glibc
internal import SandboxDecode
internal import SandboxModel

/// readlink(2) for the caller, of the link that was pinned.
extension FileWork {
    /// It makes a link for others to read.
    package var makesLink: Bool { if case .symlink = call { true } else { false } }

    /// The length of what was written to the caller's memory, or `-errno`.
    package func readLink() -> Int32 {
        guard case .readLink(_, let buffer, let size) = call, size > 0 else { return -EINVAL }
        if first.kind != .symlink { return first.given.isEmpty ? -ENOENT : -EINVAL }
        do throws(Errno) {
            let n = try identity.assumed(caller) { () throws(Errno) in sbx_readlinkat(first.pin, "", text.base, Int(min(size, 4096))) }
            if n < 0 { return Int32(n) }
            try TraceeMemory.write(caller.tid, buffer, UnsafeRawBufferPointer(start: text.base, count: n))
            return Int32(n)
        } catch { return -error.code }
    }
}
