import SandboxLineage
import Testing

@Suite struct LabelsTests {
    private let a = DataPlace(.file, device: 1, inode: 1), pipe = DataPlace(.pipe, inode: 2), b = DataPlace(.file, device: 1, inode: 3)

    private func ways() -> [Way] {
        [
            Way(process: 1, place: a, reads: true), Way(process: 1, place: pipe, writes: true), Way(process: 2, place: pipe, reads: true),
            Way(process: 2, place: b, writes: true), Way(process: 3, place: b, writes: true),
        ]
    }

    @Test func spreadsAlongWays() {
        var labels = Labels()
        let found = labels.spread([Gain(.place(a), 1, source: "by its path")], over: ways())
        #expect(Set(found.map(\.carrier)) == [.place(a), .process(1), .place(pipe), .process(2), .place(b)])
        // Nothing has changed yet.
        #expect(labels.isEmpty)
        labels.take(found)
        #expect(labels.classes(of: 2) == 1 && labels.classes(of: 3) == 0 && labels.classes(of: .place(b)) == 1)
        #expect(labels.chain(to: .place(b), 1).map(\.carrier) == [.place(a), .process(1), .place(pipe), .process(2), .place(b)])
        #expect(labels.spread([], over: ways()).isEmpty)
        // A way that comes later leads on.
        #expect(labels.spread([], over: [Way(process: 3, place: b, reads: true)]).map(\.carrier) == [.process(3)])
    }

    @Test func classesKeepApart() {
        var labels = Labels()
        labels.take(labels.spread([Gain(.process(1), 1), Gain(.process(2), 2)], over: ways()))
        #expect(labels.classes(of: 1) == 1 && labels.classes(of: 2) == 3 && labels.classes(of: .place(b)) == 3)
    }

    @Test func whatIsReleasedStays() {
        var labels = Labels()
        labels.release(1, for: 1)
        labels.take(labels.spread([Gain(.process(1), 3)], over: ways()))
        #expect(labels.classes(of: 1) == 3 && labels.classes(of: .place(pipe)) == 2)
        // Its children have read what it has read, and are none of it.
        _ = labels.inherit(9, from: 1)
        #expect(labels.outgoing(9) == 3 && labels.outgoing(1) == 2)
    }

    /// What comes from a server is in all that a process writes, and in what it starts; it itself carries none of it.
    @Test func whatIsGivenFlows() {
        var labels = Labels()
        labels.give(Gain(.process(1), 1, source: "its SQL names a table"))
        #expect(labels.classes(of: 1) == 0 && labels.outgoing(1) == 0 && labels.flowing(1) == 1)
        labels.take(labels.spread([], over: ways()))
        #expect(labels.classes(of: .place(pipe)) == 1 && labels.classes(of: 2) == 1)
        #expect(labels.chain(to: .place(pipe), 1).map(\.carrier) == [.process(1), .place(pipe)])
        #expect(labels.inherit(9, from: 1) != nil && labels.classes(of: 9) == 1)
        labels.takeBack(from: 1)
        #expect(labels.flowing(1) == 0)
    }

    @Test func placesThatAreGoneAreForgotten() {
        var labels = Labels()
        labels.take(labels.spread([Gain(.process(1), 1)], over: ways()))
        labels.keep(only: [])
        #expect(labels.classes(of: .place(pipe)) == 0 && labels.classes(of: .place(b)) == 1 && labels.classes(of: 2) == 1)
    }

    /// A carrier that holds many things is looked at once for all of them: with the square of these, this would take for ever.
    @Test func manyDescriptorsAreOneLook() {
        var labels = Labels()
        labels.take([Gain(.process(1), 1), Gain(.place(pipe), 1)])
        let ways =
            (0..<10_000).map { Way(process: 1, place: DataPlace(.file, device: 2, inode: $0), writes: true) }
            + (2..<10_000).map { Way(process: $0, place: pipe, reads: true) }
        let found = labels.spread([], over: ways)
        #expect(found.count == 19_998)
    }
}
