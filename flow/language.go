package flow

import (
	"embed"
	"encoding/json"
	"strconv"
	"strings"
)

// The texts of pages that addresses repeat, or that stand in several places. All texts are English
// where they are used. The files in lang hold translations, each by its English text.
const (
	textTimeout          = "Sign in has to be completed within 5 minutes."
	textFailed           = "You could not be signed in."
	textRevocationFailed = "You are signed out here. Cognito could not be told to end the session everywhere."
	textCognito          = "Cognito says:" // the code of an error follows
)

//go:embed lang/*.json
var langFiles embed.FS

// english is the language of the texts in the source, and of users who prefer none of the others.
const english = "en"

// languages hold the translations of texts, by language and English text.
type languages map[string]map[string]string

// newLanguages returns the embedded translations.
func newLanguages() languages {
	all := languages{english: nil}
	for _, lang := range []string{"de", "es", "fr", "ja"} {
		file, err := langFiles.ReadFile("lang/" + lang + ".json")
		if err != nil {
			panic(err) // the files are part of the program
		}
		var texts map[string]string
		if err := json.Unmarshal(file, &texts); err != nil {
			panic(lang + ": " + err.Error())
		}
		all[lang] = texts
	}
	return all
}

// translate translates the texts of p for a browser that sends these lines of Accept-Language.
func (l languages) translate(p *Page, accept []string) {
	p.Lang = l.preferred(accept)
	texts := l[p.Lang]
	for _, text := range []*string{&p.Title, &p.Text, &p.LinkText} {
		if t, ok := texts[*text]; ok {
			*text = t
		} else if code, ok := strings.CutPrefix(*text, textCognito); ok && texts != nil {
			*text = texts[textCognito] + code
		}
	}
}

// maxLanguages bounds how many entries of Accept-Language are looked at, and maxLanguage how long
// one may be.
const maxLanguages, maxLanguage = 20, 100

// preferred returns the language that a browser likes best (RFC 9110 §12.5.4): the first with the
// greatest weight. Regions and scripts do not matter: "de-AT" is "de" (RFC 4647 §3.4).
func (l languages) preferred(accept []string) (best string) {
	best, weight, n := english, 0.0, 0
	for _, line := range accept {
		for entry := range strings.SplitSeq(line, ",") {
			if n++; n > maxLanguages {
				return best
			}
			if len(entry) > maxLanguage {
				continue
			}
			tag, parameter, _ := strings.Cut(entry, ";")
			lang, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
			q := 1.0
			if value, ok := strings.CutPrefix(strings.TrimSpace(parameter), "q="); ok {
				q, _ = strconv.ParseFloat(value, 64) // 0, which means never, if it is no number
			}
			if _, ok := l[lang]; ok && q > weight {
				best, weight = lang, q
			}
		}
	}
	return best
}
