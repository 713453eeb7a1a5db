package s3

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	xmlHeader = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"
	namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
)

// text is a text that may have any character, such as a key. S3 writes control characters as
// references, which XML 1.0 does not allow; encoding/xml would write others in their place.
type text string

// MarshalXML writes the text.
func (t text) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	return e.EncodeElement(struct {
		Inner string `xml:",innerxml"`
	}{escapeXML(string(t))}, start)
}

func escapeXML(s string) string {
	var b strings.Builder
	for _, c := range s {
		switch {
		case strings.ContainsRune(`<>&"'`, c), c < ' ', c == 0xfffe, c == 0xffff:
			fmt.Fprintf(&b, "&#x%X;", c)
		case c == utf8.RuneError:
			b.WriteString("\ufffd")
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// timestamp is a time as it stands in documents.
type timestamp time.Time

// MarshalText writes the time in UTC with milliseconds.
func (t timestamp) MarshalText() ([]byte, error) {
	return []byte(time.Time(t).UTC().Format("2006-01-02T15:04:05.000Z")), nil
}

// writeXML answers with a document.
func writeXML(w http.ResponseWriter, v any) error {
	body, err := xml.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(append([]byte(xmlHeader), body...))
	return nil
}

// readXML reads a document whose root has that name, in any namespace. encoding/xml bounds the
// depth, and expands no entities that a document declares.
func readXML(body []byte, root string, v any) error {
	dec := xml.NewDecoder(bytes.NewReader(body))
	for found := false; ; {
		t, err := dec.Token()
		if err == io.EOF && found {
			return nil
		} else if err != nil {
			return malformedXML()
		}
		switch t := t.(type) {
		case xml.StartElement:
			if found || t.Name.Local != root || dec.DecodeElement(v, &t) != nil {
				return malformedXML()
			}
			found = true
		case xml.Directive:
			return malformedXML()
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return malformedXML()
			}
		}
	}
}

// addElement reads an element into a list, unless that has limit of them already. A document has
// room for many more than are allowed, and each would take far more memory than its text.
func addElement[T any](list *[]T, limit int, d *xml.Decoder, start xml.StartElement) error {
	if len(*list) == limit {
		return errors.New("too many elements " + start.Name.Local)
	}
	var element T
	if err := d.DecodeElement(&element, &start); err != nil {
		return err
	}
	*list = append(*list, element)
	return nil
}

// ownerXML is the account that owns everything.
type ownerXML struct{ ID, DisplayName string }

func owner() *ownerXML { return &ownerXML{ID: Account, DisplayName: "sandbox"} }
