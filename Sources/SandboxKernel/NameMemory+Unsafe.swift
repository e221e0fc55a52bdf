internal import CShims
internal import Glibc
internal import SandboxDecode
package import SandboxModel

/// Whether the memory that a name lies in is its process's alone: PROCMAP_QUERY (Linux 6.11) on `/proc/PID/maps` (proc(5)).
/// One for each notifier.
package final class NameMemory {
    package enum Kind {
        /// Anonymous and private (mmap(2)): heap, stack.
        case own
        /// Shared, or nobody knows.
        case others
        /// A private mapping of the file at `path`, which shows what is written into the file; with what was ruled about that.
        case image(Ruling?)
    }

    package var path: UnsafeBufferPointer<UInt8> { name.text }

    private let context: KernelContext
    private let name = PathBuffer()
    private let images = LookTable()
    private var key = LookTable.Key()
    private var now: UInt64 = 0

    package init(_ context: KernelContext) { self.context = context }

    /// Looks at `count` bytes and the NUL behind them. The caller must be alone, and must be waiting for its call. `mayBecomeZero`: what
    /// lies there means nothing else when a part of it is zero all of a sudden.
    package func look(_ address: RemoteAddress, count: Int, _ caller: Caller, mayBecomeZero: Bool = false) -> Kind {
        // The kernel takes back whole pages that it was told nobody needs (MADV_FREE, madvise(2)), whenever it wants to, and then they are
        // zero: a name would end where the next page begins. One that lies in a single page is there, or is empty.
        guard mayBecomeZero || address.rawValue % TraceeMemory.pageSize + UInt64(count) < TraceeMemory.pageSize else { return .others }
        guard let maps = maps(of: caller) else { return .others }
        var mapping = sbx_mapping()
        let e = sbx_mapping_at(maps, address.rawValue, &mapping, nil, 0)
        if e == -ENOTTY { context.flights.close() }
        let (last, overflows) = address.rawValue.addingReportingOverflow(UInt64(count))
        guard e >= 0, !overflows, last < mapping.end, mapping.is_shared == 0 else { return .others }
        return mapping.inode == 0 && mapping.device == 0 ? .own : image(mapping, maps, address)
    }

    /// Opened once for each program that a process runs.
    private func maps(of caller: Caller) -> Int32? {
        let known = context.tasks.maps(of: caller.pid)
        if known >= 0 { return known }
        let fd = sbx_open_maps(caller.pid)
        guard fd >= 0 else { return nil }
        context.tasks.setMaps(caller.pid, fd)
        return fd
    }

    private func image(_ mapping: sbx_mapping, _ maps: Int32, _ address: RemoteAddress) -> Kind {
        key = LookTable.Key(device: mapping.device, inode: mapping.inode)
        now = context.recently()
        if let known = images.find(key, since: context.lastMove, now: now) { return .image(known.ruling) }
        var again = sbx_mapping()
        let n = sbx_mapping_at(maps, address.rawValue, &again, name.base, 4096)
        guard n > 0, again.inode == mapping.inode else { return .others }
        name.setCount(Int(n))
        var st = stat()
        // Found by that name, and by no other: not deleted, no link of it in a place that may be written to.
        guard name.isAbsolute, sbx_fstatat(At.workingDirectory, name.base, &st, At.symlinkNoFollow) == 0, st.st_nlink == 1,
            UInt64(st.st_dev) == mapping.device, UInt64(st.st_ino) == mapping.inode,
            !context.written.contains(device: mapping.device, inode: mapping.inode)  // nor open from before, as a standard stream
        else { return .others }
        return .image(nil)
    }

    /// What was ruled about writing to the file at `path`.
    package func remember(_ ruling: Ruling) { images.remember(key, name.bytes, ruling, at: now) }
}
