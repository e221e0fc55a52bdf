import Foundation
import SandboxDecode
import SandboxKernel
import SandboxModel
import Testing

/// Which memory is its owner's alone while he waits.
@Suite struct NameMemoryTests {
    /// A page that MADV_FREE gave back may be zero from one moment to the next: a name must not go on in another page.
    @Test func aNameLiesInOnePage() throws {
        let context = try KernelContext(tasks: TaskTable(pidMax: 1 << 22)), memory = NameMemory(context)
        let page = 4096, me = Caller(tid: getpid(), pid: getpid(), serial: 1)
        let start = try #require(mmap(nil, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
        defer { munmap(start, 2 * page) }
        func isOwn(_ offset: Int, _ count: Int) -> Bool {
            let address = RemoteAddress(UInt64(UInt(bitPattern: start + offset)))
            return if case .own = memory.look(address, count: count, me) { true } else { false }
        }
        // PROCMAP_QUERY is of Linux 6.11.
        guard isOwn(0, 7) else { return }
        #expect(isOwn(page - 8, 7) && isOwn(0, page - 1) && isOwn(page, 7))
        // The last: its NUL.
        #expect(!isOwn(page - 8, 9) && !isOwn(1, page) && !isOwn(page - 8, 8))
        memset(start, 1, 2 * page)
        madvise(start + page, page, 8 /* MADV_FREE */)
        #expect(!isOwn(page - 8, 9))
    }
}
