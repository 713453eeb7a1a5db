package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// axe examines pages with axe-core, the accessibility checker, as people with different screens and
// colour schemes see them.
type axe struct {
	source string
}

func newAxe(t testing.TB) *axe {
	t.Helper()
	path := filepath.Join(npmProject(t, "js/axe"), "node_modules", "axe-core", "axe.min.js")
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return &axe{string(source)}
}

// finding is something that axe finds wrong.
type finding struct {
	Rule    string // such as "color-contrast"
	Help    string // what the rule asks for
	Element string // a CSS selector
	HTML    string
}

// runAxe returns the findings. Its rules are those of WCAG 2.0 to 2.2, levels A and AA, and what
// axe calls best practice. axe does not look for pages that scroll sideways (WCAG 2.2, 1.4.10).
const runAxe = `(async () => {
	const result = await axe.run(document, {
		resultTypes: ['violations'],
		runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
	});
	const findings = result.violations.flatMap(v => v.nodes.map(n => ({
		Rule: v.id, Help: v.help, Element: n.target.flat().join(' '), HTML: n.html.slice(0, 200),
	})));
	const page = document.documentElement;
	if (page.scrollWidth > page.clientWidth) {
		const wide = [...document.body.querySelectorAll('*')]
			.find(e => e.getBoundingClientRect().right > page.clientWidth + 1);
		findings.push({
			Rule: 'reflow', Help: 'Pages must not scroll sideways',
			Element: 'html', HTML: (wide ?? page).outerHTML.slice(0, 200),
		});
	}
	return findings;
})()`

// examine returns what is wrong with the page that the tab shows, by how it was looked at.
func (a *axe) examine(b *tab) map[string][]finding {
	b.t.Helper()
	b.await("for the page", nil, `document.readyState === 'complete'`)
	// The protocol puts the script into the page, whose policy forbids script elements.
	b.script(nil, a.source+"; null")
	all := map[string][]finding{}
	for _, width := range []int64{390, 1280} {
		for _, scheme := range []string{"light", "dark"} {
			b.do("resizing the window", chromedp.EmulateViewport(width, 900))
			features := []*emulation.MediaFeature{
				{Name: "prefers-color-scheme", Value: scheme},
				// A transition would be caught half-way, between two colours.
				{Name: "prefers-reduced-motion", Value: "reduce"},
			}
			call(b, emulation.SetEmulatedMedia,
				emulation.SetEmulatedMediaParams{Features: features})
			var findings []finding
			b.script(&findings, runAxe)
			if len(findings) > 0 {
				all[fmt.Sprintf("%d px, %s", width, scheme)] = findings
			}
		}
	}
	return all
}

// passes reports everything that is wrong with the page that the tab shows.
func (a *axe) passes(b *tab, page string) {
	b.t.Helper()
	for look, findings := range a.examine(b) {
		var report strings.Builder
		for _, f := range findings {
			fmt.Fprintf(&report, "\n\t%s (%s) at %s: %s", f.Rule, f.Help, f.Element, f.HTML)
		}
		b.t.Errorf("%s, %s:%s", page, look, report.String())
	}
}
