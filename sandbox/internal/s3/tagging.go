package s3

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"unicode/utf8"

	"github.com/amplify-go/amplify/sandbox/internal/s3/objects"
)

// tagging is the header with the tags of an object, under which they are also kept. Amplify gives
// nobody the right to tag, so that tags are the administrator's.
const tagging = "x-amz-tagging"

// maxTags is how many tags an object may have (Amazon S3 User Guide, "Categorizing objects").
const maxTags = 10

// tagText matches what keys and values of tags consist of.
var tagText = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

type tagSet struct {
	XMLName struct{} `xml:"http://s3.amazonaws.com/doc/2006-03-01/ Tagging"`
	Tags    []tag    `xml:"TagSet>Tag"`
}

type tag struct{ Key, Value string }

// parseTags reads the header with tags.
func parseTags(header string) ([]tag, error) {
	values, err := url.ParseQuery(header)
	if err != nil {
		return nil, invalidTagging(header)
	}
	var tags []tag
	for key, list := range values {
		if key == "" || len(list) > 1 {
			return nil, invalidTagging(header)
		}
		tags = append(tags, tag{key, list[0]})
	}
	slices.SortFunc(tags, func(a, b tag) int { return cmp.Compare(a.Key, b.Key) })
	return tags, checkTags(tags)
}

func invalidTagging(header string) *Error {
	return invalidArgument(tagging, header, "The header 'x-amz-tagging' shall be encoded as UTF-8 "+
		"then URLEncoded URL query parameters without tag name duplicates.")
}

func checkTags(tags []tag) error {
	if len(tags) > maxTags {
		return badRequest("BadRequest", "Object tags cannot be greater than 10")
	}
	seen := map[string]bool{}
	for _, t := range tags {
		invalid := func(message string) error {
			return badRequest("InvalidTag", message, "TagKey", t.Key, "TagValue", t.Value)
		}
		switch key, value := utf8.RuneCountInString(t.Key), utf8.RuneCountInString(t.Value); {
		case key == 0 || key > 128 || !tagText.MatchString(t.Key):
			return invalid("The TagKey you have provided is invalid")
		case value > 256 || !tagText.MatchString(t.Value):
			return invalid("The TagValue you have provided is invalid")
		case seen[t.Key]:
			return invalid("Cannot provide multiple Tags with the same key")
		}
		seen[t.Key] = true
	}
	return nil
}

// setTags puts tags into the kept header of an object, in place of those that it has.
func setTags(header map[string]string, tags []tag) {
	delete(header, tagging)
	values := url.Values{}
	for _, t := range tags {
		values.Set(t.Key, t.Value)
	}
	if len(tags) > 0 {
		header[tagging] = values.Encode()
	}
}

// setTagCount sets the header that tells how many tags an object has.
func setTagCount(header http.Header, o *objects.Object) {
	if values, err := url.ParseQuery(o.Header[tagging]); err == nil && len(values) > 0 {
		header.Set("X-Amz-Tagging-Count", fmt.Sprint(len(values)))
	}
}

func (q *request) getObjectTagging(w http.ResponseWriter) error {
	if err := q.adminOnly("GetObjectTagging"); err != nil {
		return err
	}
	if err := q.onlyVersion("GetObjectVersionTagging"); err != nil {
		return err
	}
	r, err := q.h.cfg.Objects.Open(q.Context(), q.name, q.key)
	if err != nil {
		return err
	}
	tags, err := parseTags(r.Object.Header[tagging])
	if err := errors.Join(err, r.Close()); err != nil {
		return err
	}
	return writeXML(w, tagSet{Tags: tags})
}

func (q *request) putObjectTagging(w http.ResponseWriter) error {
	if err := q.adminOnly("PutObjectTagging"); err != nil {
		return err
	}
	if err := q.onlyVersion("PutObjectVersionTagging"); err != nil {
		return err
	}
	var in struct {
		Tags []tag `xml:"TagSet>Tag"`
	}
	if err := readXML(q.content, "Tagging", &in); err != nil {
		return err
	}
	if err := checkTags(in.Tags); err != nil {
		return err
	}
	if err := q.retag(in.Tags); err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

func (q *request) deleteObjectTagging(w http.ResponseWriter) error {
	if err := q.adminOnly("DeleteObjectTagging"); err != nil {
		return err
	}
	if err := q.onlyVersion("DeleteObjectVersionTagging"); err != nil {
		return err
	}
	if err := q.retag(nil); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// retag gives an object other tags.
func (q *request) retag(tags []tag) error {
	return q.h.cfg.Objects.Change(q.Context(), q.name, q.key, func(o *objects.Object) {
		setTags(o.Header, tags)
	})
}
