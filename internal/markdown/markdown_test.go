package markdown

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	t.Parallel()
	doc, err := Parse(strings.ReplaceAll(`# One: "a" and 'b'
See [two](#two) and ![a picture](images/a.png), not '[this](x.md)'.
'''go
# no heading
fmt.Println("[no](link)")
'''
## [Two](two.md)
- in a list:
  '''sh
  make
  '''
## Two
#hashtag
`, "'", "`"))
	if err != nil {
		t.Fatal(err)
	}
	want := &Document{
		Blocks: []Block{
			{"go", "# no heading\nfmt.Println(\"[no](link)\")\n", 4, "One: \"a\" and `b`"},
			{"sh", "  make\n", 10, "Two"},
		},
		Links:   []Link{{"#two", 2}, {"images/a.png", 2}, {"two.md", 7}},
		Anchors: map[string]bool{"one-a-and-b": true, "two": true, "two-1": true},
	}
	if d := cmp.Diff(want, doc); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	_, err = Parse("text\n```go\nx := 1\n")
	if err == nil || !strings.HasPrefix(err.Error(), "line 2:") {
		t.Errorf("a block without end: %v", err)
	}
}
