internal import CShims
internal import Glibc
package import SandboxModel

/// What a program finds at its standard streams when it begins: nothing else shows which pipes join the programs of a
/// pipeline, and where a shell has sent the output of what it starts. To be asked at the exec event, while the process stands
/// still.
package final class StandardStreams {
    package struct Stream {
        package var device, inode: UInt64
        package var access: FileAccess
        package var name: [UInt8]
    }

    private let link = PathBuffer()
    private let name = PathBuffer()

    package init() {}

    /// Files, pipes and sockets, each once. Terminals and other devices carry nothing from one program to another.
    package func read(_ caller: Caller) -> [Stream] {
        var found: [Stream] = []
        for place: StaticString in ["/fd/0", "/fd/1", "/fd/2"] {
            link.setProcess(caller.tid, place)
            var st = stat(), own = stat()
            guard sbx_fstatat(At.workingDirectory, link.base, &st, At.asKnown) == 0, carries(st),
                sbx_fstatat(At.workingDirectory, link.base, &own, At.symlinkNoFollow) == 0
            else { continue }
            let access = access(own)
            if let same = found.firstIndex(where: { $0.device == UInt64(st.st_dev) && $0.inode == UInt64(st.st_ino) }) {
                found[same].access = found[same].access.union(access)
                continue
            }
            let n = sbx_readlinkat(At.workingDirectory, link.base, name.base, 4096)
            guard n > 0, n < 4096 else { continue }
            name.setCount(n)
            found.append(Stream(device: UInt64(st.st_dev), inode: UInt64(st.st_ino), access: access, name: Array(name.bytes)))
        }
        return found
    }

    private func carries(_ st: stat) -> Bool { [S_IFREG, S_IFIFO, S_IFSOCK].contains(st.st_mode & S_IFMT) }

    /// The link's own permissions are those of the descriptor (proc(5), `/proc/PID/fd`).
    private func access(_ link: stat) -> FileAccess {
        (link.st_mode & S_IRUSR != 0 ? FileAccess.read : []).union(link.st_mode & S_IWUSR != 0 ? .write : [])
    }
}
