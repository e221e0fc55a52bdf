internal import CShims
internal import Glibc
internal import SandboxFiles

/// Files in memory that have no name: memfd_create(2), or removed from a tmpfs. They take room while somebody holds them, mapped or
/// not, and no figure of a process's tells.
enum UnnamedMemory {
    struct File: Hashable { let device, inode: UInt64 }
    /// By file, the bytes of those that any of the tasks has open.
    static func held(by tasks: [Int32]) -> [File: UInt64] { tasks.reduce(into: [:]) { add(to: &$0, heldBy: $1) } }

    private static func add(to found: inout [File: UInt64], heldBy task: Int32) {
        guard let folder = opendir("/proc/\(task)/fd") else { return }
        defer { closedir(folder) }
        while let entry = readdir(folder) {
            var st = stat()
            let name = DirectoryEntry.name(entry)
            guard fstatat(dirfd(folder), name, &st, 0) == 0, st.st_mode & S_IFMT == S_IFREG, st.st_nlink == 0,
                sbx_lies_in_memory("/proc/\(task)/fd/\(name)") == 1
            else { continue }
            found[File(device: UInt64(st.st_dev), inode: UInt64(st.st_ino))] = UInt64(st.st_blocks) &* 512
        }
    }
}
