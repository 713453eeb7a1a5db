// Package markdown reads of Markdown files what tests compare with the code: blocks of code, links,
// and the anchors that links may lead to. It knows the Markdown of this repository (fenced blocks,
// inline links), and not all there is.
package markdown

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// Document is what a file has.
type Document struct {
	Blocks  []Block
	Links   []Link
	Anchors map[string]bool // of headings, as GitHub makes them
}

// Block is a fenced block of code.
type Block struct {
	Language string // "go" after ```go
	Text     string // without the fences
	Line     int    // of the first line of Text
	Heading  string // under which it stands
}

// Link is a link, or an image.
type Link struct {
	Target string
	Line   int
}

var (
	codeSpan   = regexp.MustCompile("`[^`]*`")
	inlineLink = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	linkedText = regexp.MustCompile(`\[([^\]]*)\]\([^()\s]+\)`)
)

// Parse reads a document. It fails if a block of code has no end.
func Parse(text string) (*Document, error) {
	doc := &Document{Anchors: map[string]bool{}}
	var (
		block   *Block
		body    strings.Builder
		heading string
		number  int
	)
	for line := range strings.Lines(text) {
		number++
		trimmed := strings.TrimSpace(line)
		language, isFence := strings.CutPrefix(trimmed, "```")
		switch {
		case isFence && block == nil:
			block = &Block{Language: language, Line: number + 1, Heading: heading}
			body.Reset()
		case isFence:
			block.Text = body.String()
			doc.Blocks = append(doc.Blocks, *block)
			block = nil
		case block != nil:
			body.WriteString(line)
		default:
			if h, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && line[0] == '#' {
				heading = strings.TrimSpace(linkedText.ReplaceAllString(h, "$1"))
				doc.addAnchor(heading)
			}
			prose := codeSpan.ReplaceAllString(line, "code")
			for _, m := range inlineLink.FindAllStringSubmatch(prose, -1) {
				doc.Links = append(doc.Links, Link{Target: m[1], Line: number})
			}
		}
	}
	if block != nil {
		return nil, fmt.Errorf("line %d: this block of code has no end", block.Line-1)
	}
	return doc, nil
}

// addAnchor adds the anchor of a heading: its letters in lower case, hyphens in place of spaces,
// and a number if there has been one like it.
func (d *Document) addAnchor(heading string) {
	anchor := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
	unique := anchor
	for n := 1; d.Anchors[unique]; n++ {
		unique = fmt.Sprintf("%s-%d", anchor, n)
	}
	d.Anchors[unique] = true
}
