package token

import "cmp"

// Candidate is a pair of tokens that may be the session of a request, as far as it can be judged
// before a signature is checked.
type Candidate struct {
	Access, ID *Claims // unless Err is set
	AsWritten  bool    // the two were written together
	Err        error   // why they are refused, or cannot be judged now
}

// NewCandidate returns the candidate of two tokens that have been read.
func NewCandidate(access, id *Token, asWritten bool) Candidate {
	c := Candidate{AsWritten: asWritten}
	switch {
	case access.Err != nil:
		c.Err = access.Err
	case id.Err != nil:
		c.Err = id.Err
	default:
		c.Access, c.ID = &access.Payload.Claims, &id.Payload.Claims
	}
	return c
}

// Compare orders candidates: those issued last come first, and pairs that were written together
// before others. Pairs that do not name one user come later, and refused ones last.
func (a *Candidate) Compare(b *Candidate) int {
	if n := cmp.Compare(a.rank(), b.rank()); n != 0 || a.Err != nil {
		return n
	}
	if n := b.Access.IssuedAt.Compare(a.Access.IssuedAt); n != 0 {
		return n
	}
	if n := b.ID.IssuedAt.Compare(a.ID.IssuedAt); n != 0 {
		return n
	}
	switch {
	case a.AsWritten == b.AsWritten:
		return 0
	case a.AsWritten:
		return -1
	}
	return 1
}

func (a *Candidate) rank() int {
	switch {
	case a.Err != nil:
		return 2
	case !sameUser(a.Access, a.ID):
		return 1
	}
	return 0
}
