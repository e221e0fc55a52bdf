import SandboxLineage
import Testing

/// Who carries what, step after step. Process 1 is the session's first, file 100 is classified.
@Suite struct CarryingTests {
    enum Step: Sendable {
        case fork(UInt32, UInt32), ran(UInt32, [(UInt64, Bool, Bool)]), read(UInt32, UInt64), write(UInt32, UInt64)
        case connect(UInt32, UInt64), link(UInt32, UInt32), end(UInt32), delete(UInt64)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let steps: [Step]
        var carrying: [Holder] = []
        var clean: [Holder] = []
        var testDescription: String { name }
    }

    private static func file(_ number: UInt64) -> Holder { .file(Inode(device: 1, inode: number), 0) }
    private static let secret: UInt64 = 100

    static let cases: [Case] = [
        Case(name: "reading", steps: [.fork(2, 1), .ran(2, []), .read(2, 100)], carrying: [.process(2)], clean: [.process(1)]),
        Case(
            name: "writing afterwards and before", steps: [.write(1, 5), .read(1, 100), .write(1, 6)], carrying: [file(5), file(6)]),
        Case(name: "another file", steps: [.read(1, 7), .write(1, 8)], clean: [.process(1), file(8)]),
        Case(name: "a copy of a copy", steps: [.read(1, 100), .write(1, 5), .fork(2, 0), .read(2, 5), .write(2, 6)], carrying: [file(6)]),
        Case(name: "a fork has what its parent had", steps: [.read(1, 100), .fork(2, 1), .ran(2, [])], carrying: [.process(2)]),
        Case(name: "and not what that reads later", steps: [.fork(2, 1), .ran(2, []), .read(1, 100)], clean: [.process(2)]),
        Case(
            name: "a descriptor from before the fork", steps: [.write(1, 5), .fork(2, 1), .ran(2, []), .read(2, 100)],
            carrying: [file(5)], clean: [.process(1)]),
        Case(
            name: "not one from after it", steps: [.fork(2, 1), .ran(2, []), .write(1, 5), .read(2, 100)], clean: [file(5)]),
        Case(
            name: "a file that the parent reads on",
            steps: [.read(1, 5), .fork(2, 1), .ran(2, []), .fork(3, 1), .ran(3, []), .read(3, 100), .write(3, 5)],
            carrying: [.process(1), .process(2)]),
        Case(
            name: "what a child opens is not its parent's", steps: [.read(1, 5), .fork(2, 1), .ran(2, []), .read(2, 100), .write(2, 6)],
            carrying: [file(6)], clean: [.process(1), file(5)]),
        Case(
            name: "a pipeline",
            steps: [
                .fork(2, 1), .fork(3, 1), .ran(2, [(9, false, true)]), .ran(3, [(9, true, false)]), .read(2, 100), .write(3, 5),
            ], carrying: [.process(3), file(5)]),
        Case(
            name: "$( … )", steps: [.fork(2, 1), .fork(3, 2), .ran(3, [(9, false, true)]), .read(3, 100)],
            carrying: [.process(1), .process(2)]),
        Case(name: "a fork that runs nothing", steps: [.fork(2, 1), .read(2, 100)], carrying: [.process(1)]),
        Case(
            name: "a pipe through one that has it at its streams",
            steps: [
                .fork(2, 1), .ran(2, [(9, false, true)]), .fork(3, 2), .ran(3, [(9, false, true)]), .read(3, 100),
            ], carrying: [.process(1)], clean: [.process(2)]),
        Case(
            name: "a local connection", steps: [.fork(2, 1), .ran(2, []), .fork(3, 1), .ran(3, []), .link(2, 3), .read(3, 100)],
            carrying: [.process(2)], clean: [.process(1)]),
        Case(
            name: "who has ended passes nothing on",
            steps: [
                .fork(2, 1), .ran(2, []), .write(2, 5), .end(2), .fork(3, 1), .ran(3, []), .read(3, 100),
            ], clean: [file(5)]),
        Case(
            name: "a deleted file's inode", steps: [.read(1, 100), .write(1, 5), .end(1), .delete(5), .fork(2, 0), .read(2, 5)],
            clean: [.process(2)]),
        Case(name: "a socket that was open before", steps: [.connect(1, 77), .read(1, 100)], carrying: [.socket(77)]),
        Case(
            name: "two that talk to one host", steps: [.connect(1, 77), .read(1, 100), .fork(2, 0), .connect(2, 78)],
            carrying: [.socket(77)], clean: [.process(2), .socket(78)]),
    ]

    @Test(arguments: cases) func spreads(_ test: Case) {
        var carrying = Carrying()
        carrying.classify(Self.file(Self.secret), as: 1)
        carrying.forked(1, from: 0)
        carrying.ran(1, holding: [])
        for step in test.steps { Self.take(step, &carrying) }
        for holder in test.carrying {
            #expect(carrying.carries(holder) == 1, "\(holder)")
            let why = carrying.why(holder, carries: 1)
            #expect(why.first?.from == Self.file(Self.secret) && why.last?.to == holder, "\(why)")
        }
        for holder in test.clean { #expect(carrying.carries(holder) == 0, "\(holder): \(carrying.why(holder, carries: 1))") }
    }

    private static func take(_ step: Step, _ carrying: inout Carrying) {
        func inode(_ number: UInt64) -> Inode { Inode(device: 1, inode: number) }
        switch step {
        case .fork(let child, let parent): carrying.forked(child, from: parent)
        case .ran(let process, let held): carrying.ran(process, holding: held.map { (inode($0), $1, $2) })
        case .read(let process, let file): carrying.didRead(process, inode(file))
        case .write(let process, let file): carrying.willWrite(process, inode(file))
        case .connect(let process, let socket): carrying.connected(process, socket)
        case .link(let one, let other): carrying.linked(one, other)
        case .end(let process): carrying.ended(process)
        case .delete(let file): carrying.deleted(inode(file))
        }
    }

    @Test func whatWouldReachASocketIsKnownBefore() {
        var carrying = Carrying()
        carrying.forked(1, from: 0)
        carrying.ran(1, holding: [])
        carrying.forked(2, from: 1)
        carrying.ran(2, holding: [])
        carrying.connected(2, 77)
        #expect(carrying.outlets(of: 1, for: 1).isEmpty)
        carrying.linked(1, 2)
        #expect(carrying.outlets(of: 1, for: 3).map(\.socket) == [77])
        #expect(carrying.carries(.socket(77)) == 0)
        carrying.classify(.process(1), as: 1)
        #expect(carrying.outlets(of: 1, for: 1).isEmpty)
        #expect(carrying.outlets(of: 1, for: 3).map(\.classes) == [2])
    }

    @Test func aMaskingProgramPassesNothingOn() {
        var carrying = Carrying()
        carrying.classify(Self.file(Self.secret), as: 3)
        carrying.forked(1, from: 0)
        carrying.ran(1, holding: [], releases: 1)
        carrying.didRead(1, Inode(device: 1, inode: Self.secret))
        carrying.willWrite(1, Inode(device: 1, inode: 5))
        #expect(carrying.carries(.process(1)) == 3)
        #expect(carrying.carries(Self.file(5)) == 2)
        #expect(carrying.outlets(of: 1, for: 1).isEmpty)
    }
}
