internal import CShims
internal import Glibc
internal import Synchronization

/// What every stage that touches the kernel shares.
package final class KernelContext: Sendable {
    package let tasks: TaskTable
    /// Our own `/proc/self/fd`, to name a pinned object by a short path.
    let ownDescriptors: Int32
    /// The device number of procfs: what lies there means something else for the caller than for us.
    let procDevice: UInt64
    package let isRoot: Bool
    /// Set once a supervised process may have other credentials than we have; from then on they are looked up.
    private let identitiesVary = Atomic<Bool>(false)

    package init(tasks: TaskTable) throws(Errno) {
        self.tasks = tasks
        ownDescriptors = try Errno.check(sbx_openat(At.workingDirectory, "/proc/self/fd", Flag.path | Flag.directory | Flag.closeOnExec, 0))
        var st = stat()
        _ = try Errno.check(sbx_fstatat(At.workingDirectory, "/proc", &st, 0))
        procDevice = UInt64(st.st_dev)
        isRoot = geteuid() == 0
    }

    package func noteIdentityChange() { identitiesVary.store(true, ordering: .sequentiallyConsistent) }
    var mustLookUpIdentity: Bool { isRoot && identitiesVary.load(ordering: .sequentiallyConsistent) }
}
