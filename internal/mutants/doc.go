// Command mutants shows that the tests of SECURITY.md look: it takes each defence away by a small
// change of the source, and the tests that SECURITY.md names for it must then fail.
//
//	go run ./internal/mutants [REGEXP]
//
// REGEXP selects mutants by row and name. The working tree is not touched: each mutant is an
// overlay of the build (go help build, -overlay). A build failure, a time-out, a test that passes
// or does not run are failures of the run.
//
// The changes are in mutants.txt:
//
//	row <how a row of SECURITY.md begins>
//	skip <package>.<test>: <why no mutant is to make it fail>
//
//	mutant <what is taken away>
//	file <path of the source>
//	dies <package>.<test>, …
//	-<text that occurs once in the file>
//	+<what takes its place>
//
// Mutants belong to the rows above them. The lines of "-" are one text, and need not be whole lines
// of the file; a "-" after a "+" begins another change of the same file. Lines that begin with "#"
// are comments.
package main
