internal import CShims
internal import Glibc
internal import SandboxFiles

/// Files in memory that have no name: memfd_create(2), or removed from a tmpfs. They take room while somebody holds them, mapped or
/// not, and no figure of a process's tells.
enum UnnamedMemory {
    struct File: Hashable { let device, inode: UInt64 }
    /// By file, the bytes of those that the process has open.
    static func held(by pid: Int32) -> [File: UInt64] {
        var found: [File: UInt64] = [:]
        guard let folder = opendir("/proc/\(pid)/fd") else { return found }
        defer { closedir(folder) }
        while let entry = readdir(folder) {
            var st = stat()
            let name = DirectoryEntry.name(entry)
            guard fstatat(dirfd(folder), name, &st, 0) == 0, st.st_mode & S_IFMT == S_IFREG, st.st_nlink == 0,
                sbx_lies_in_memory("/proc/\(pid)/fd/\(name)") == 1
            else { continue }
            found[File(device: UInt64(st.st_dev), inode: UInt64(st.st_ino))] = UInt64(st.st_blocks) &* 512
        }
        return found
    }
}
