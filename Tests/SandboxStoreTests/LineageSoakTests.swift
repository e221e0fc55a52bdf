import Glibc
import SandboxLineage
import SandboxModel
import Testing

@testable import SandboxStore

/// So many recorded accesses as SANDBOX_SOAK says, of builds, in the state directory SANDBOX_SOAK_STATE: how large the data base is.
/// `Tests/soak/lineage.sh` runs it, and asks what was made.
@Suite(.enabled(if: getenv("SANDBOX_SOAK") != nil)) struct LineageSoakTests {
    private static let objectsPerSession: UInt64 = 150

    @Test func manyAccesses() throws {
        let wanted = getenv("SANDBOX_SOAK").flatMap { Int(String(cString: $0)) } ?? 100_000
        let state = try StateDirectory(String(cString: try #require(getenv("SANDBOX_SOAK_STATE"))))
        var count = 0, number: UInt64 = 0
        while count < wanted {
            number += 1
            count += try build(number, state)
        }
        try LineageIngest.takeIn(state)
        var st = stat()
        stat(state.database, &st)
        print("\(count) accesses, \(number) sessions: \(Int(st.st_size) / count) bytes each")
        #expect(Int(st.st_size) < 100 * count)
    }

    /// A session in which a project is built: sh, gcc, cc1 and as for each object, what they load, sources, headers, the linker.
    private func build(_ number: UInt64, _ state: StateDirectory) throws -> Int {
        let digits = String(number)
        let id = "s-01K" + String(repeating: "0", count: 6 - digits.utf8.count) + digits
        var info = sessionInfo(id, identity: number % 7 == 0 ? "agent:rare" : "agent:builder")
        info.started = baseTime + number * 100_000_000_000
        let builder = Build(try newJournal(state, info), info, state, project: number % 40, round: number / 40)
        try builder.run(objects: LineageSoakTests.objectsPerSession)
        return builder.count
    }

    private final class Build {
        private let journal: Journal
        private let writer: TrailWriter
        private let folder: String
        private let round: UInt64
        private var time: UInt64
        private var serial: UInt32 = 1
        private(set) var count = 0

        init(_ journal: Journal, _ info: SessionInfo, _ state: StateDirectory, project: UInt64, round: UInt64) {
            self.journal = journal
            self.round = round
            writer = TrailWriter(state: state, journal: journal)
            folder = "/w/p\(project)"
            time = info.started
        }

        func run(objects: UInt64) throws {
            try start(1, parent: 0, "/usr/bin/make")
            try open(1, folder + "/Makefile", .read, 900)
            for object in 0..<objects { try compile(object) }
            let linker = try child(of: 1, "/usr/bin/ld")
            for object in 0..<objects { try open(linker, folder + "/f\(object).o", .read, inode(object, 3)) }
            try open(linker, folder + "/prog", [.write, .create], 0)
            try connect(linker, "10.0.0.1:443")
            try connect(linker, "10.9.\(round % 256).1:443")
            try writer.finish(status: 0, at: time)
        }

        private func connect(_ process: UInt32, _ address: String) throws {
            var header = access(.connect, process: process, access: [], type: .socket, result: 0)
            header.time = time
            count += 1
            try journal.append(header, address)
        }

        private func compile(_ object: UInt64) throws {
            let driver = try child(of: try child(of: 1, "/bin/sh"), "/usr/bin/gcc")
            let temporary = "/tmp/cc\(round)x\(object).s"
            try open(driver, temporary, [.read, .write, .create], 0)
            let compiler = try child(of: driver, "/usr/bin/cc1")
            try open(compiler, folder + "/f\(object).c", .read, inode(object, 1))
            try open(compiler, temporary, [.write, .truncate], inode(object, 2))
            // Standard headers are opened again by whoever includes them.
            for header: UInt64 in 0..<160 {
                for _ in 0...(header % 3 == 0 ? 2 : 0) { try open(compiler, "/usr/include/h\(header).h", .read, 1000 + header) }
            }
            for header: UInt64 in 0..<12 { try open(compiler, folder + "/h\((object + header) % 40).h", .read, 2000 + header) }
            let assembler = try child(of: driver, "/usr/bin/as")
            try open(assembler, folder + "/f\(object).o", [.write, .create, .truncate], round == 0 ? 0 : inode(object, 3))
            try open(assembler, temporary, .read, inode(object, 2))
            var header = access(.delete, process: driver, access: .delete, result: 0)
            (header.time, header.device, header.inode) = (time, 7, inode(object, 2))
            try journal.append(header, temporary)
            count += 1
            while try writer.drainOnce() > 0 {}
        }

        private func inode(_ object: UInt64, _ kind: UInt64) -> UInt64 { 100_000 + object * 8 + kind }

        private func child(of parent: UInt32, _ program: String) throws -> UInt32 {
            serial += 1
            try start(serial, parent: parent, program)
            return serial
        }

        private func start(_ process: UInt32, parent: UInt32, _ program: String) throws {
            var header = RecordHeader(kind: .processStart, process: process, pid: Int32(process), time: time)
            header.subject = UInt64(parent)
            try journal.append(header)
            try journal.setProgram(process, program, [program, "-O2", "-c", "file.c"])
            var exec = access(.exec, process: process, access: .execute, type: .program, result: 0)
            (exec.time, exec.device, exec.inode) = (time, 7, UInt64(program.utf8.count) + 50)
            count += 1
            try journal.append(exec, program, extra: "\(program)\0-O2\0-c\0file.c\0")
            for library: UInt64 in 0..<8 { try open(process, "/usr/lib/x86_64-linux-gnu/lib\(library).so.6", .read, 300 + library) }
            try open(process, "/usr/lib/x86_64-linux-gnu/libc.so.6", .read, 298)
            try open(process, "/etc/ld.so.cache", .read, 299)
        }

        private func open(_ process: UInt32, _ path: String, _ how: FileAccess, _ inode: UInt64) throws {
            time += 20_000
            count += 1
            var header = access(inode == 0 ? .create : .open, process: process, access: how, result: RecordHeader.unknown)
            (header.time, header.device, header.inode) = (time, inode == 0 ? 0 : 7, inode)
            try journal.append(header, path)
        }
    }
}
