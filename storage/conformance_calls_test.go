package storage_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"strings"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/conformance"
	"github.com/amplify-go/amplify/storage"
)

// recordedCall makes the call of a case, and returns its value and what it told about its progress.
type recordedCall func(ctx context.Context, progress bool) (value any, told []any, err error)

// jsPath is where a call says what it is about, and how.
type jsPath struct {
	Path    json.RawMessage `json:"path"`
	Key     *string         `json:"key"`
	Prefix  *string         `json:"prefix"`
	Data    json.RawMessage `json:"data"`
	Options jsOptions       `json:"options"`
}

type jsOptions struct {
	AccessLevel      storage.AccessLevel `json:"accessLevel"`
	TargetIdentityID string              `json:"targetIdentityId"`
	Bucket           json.RawMessage     `json:"bucket"`
	Owner            string              `json:"expectedBucketOwner"`
	CustomEndpoint   string              `json:"customEndpoint"`
	Accelerate       bool                `json:"useAccelerateEndpoint"`

	ExpiresIn          float64         `json:"expiresIn"`
	ValidateExistence  bool            `json:"validateObjectExistence"`
	Method             string          `json:"method"`
	ContentType        string          `json:"contentType"`
	ContentDisposition json.RawMessage `json:"contentDisposition"`
	CacheControl       string          `json:"cacheControl"`

	ContentEncoding   string            `json:"contentEncoding"`
	Metadata          map[string]string `json:"metadata"`
	PreventOverwrite  bool              `json:"preventOverwrite"`
	ChecksumAlgorithm string            `json:"checksumAlgorithm"`

	ListAll   bool   `json:"listAll"`
	PageSize  int    `json:"pageSize"`
	NextToken string `json:"nextToken"`
	Subpaths  struct {
		Strategy  string `json:"strategy"`
		Delimiter string `json:"delimiter"`
	} `json:"subpathStrategy"`
}

// objectPath returns the Go value for a path or a key. notGo says why there is none.
func (p jsPath) objectPath() (path storage.ObjectPath, notGo string) {
	key := p.Key
	if key == nil {
		key = p.Prefix
	}
	switch {
	case p.Path != nil && key != nil:
		return path, "a path and a key"
	case key != nil:
		return storage.Key(*key, storage.KeyOptions{AccessLevel: p.Options.AccessLevel, TargetIdentityID: p.Options.TargetIdentityID}), ""
	case p.Path == nil && p.Options.AccessLevel != "":
		return storage.Key("", storage.KeyOptions{AccessLevel: p.Options.AccessLevel}), ""
	case p.Path == nil:
		return path, ""
	}
	var text string
	if json.Unmarshal(p.Path, &text) == nil {
		return storage.Path(text), ""
	}
	var function struct {
		Path *string `json:"$path"`
	}
	if json.Unmarshal(p.Path, &function) == nil && function.Path != nil {
		return storage.PathFunc(func(id string) string {
			return strings.ReplaceAll(*function.Path, "{identityId}", id)
		}), ""
	}
	return path, "a path that is neither text nor a function"
}

// bucketOf returns the Go value for the bucket option.
func bucketOf(raw json.RawMessage) (b storage.Bucket) {
	if json.Unmarshal(raw, &b.Name) == nil {
		return b
	}
	var literal struct{ BucketName, Region string }
	_ = json.Unmarshal(raw, &literal)
	return storage.Bucket{Name: literal.BucketName, Region: literal.Region}
}

// disposition writes a contentDisposition as the original does.
func disposition(raw json.RawMessage) string {
	var text string
	if raw == nil || json.Unmarshal(raw, &text) == nil {
		return text
	}
	var parts struct {
		Type     string  `json:"type"`
		Filename *string `json:"filename"`
	}
	_ = json.Unmarshal(raw, &parts)
	if parts.Filename == nil {
		return parts.Type
	}
	return parts.Type + `; filename="` + *parts.Filename + `"`
}

// named returns {"key": …} for an output of a key, else {"path": …}.
func named(path, key string) map[string]any {
	if key != "" {
		return map[string]any{"key": key}
	}
	return map[string]any{"path": path}
}

// call returns the call of a case.
func (in *recordedInput) call() (call recordedCall, notGo string) {
	if in.Call == "copy" {
		return in.copyCall()
	}
	var js jsPath
	if err := conformance.Decode(in.Input, &js); err != nil {
		return nil, err.Error()
	}
	path, notGo := js.objectPath()
	if notGo != "" {
		return nil, notGo
	}
	o := js.Options
	bucket := bucketOf(o.Bucket)
	bucket.ExpectedOwner = o.Owner
	bucket.UseAccelerateEndpoint, bucket.CustomEndpoint = o.Accelerate, o.CustomEndpoint
	switch in.Call {
	case "getUrl":
		return func(ctx context.Context, _ bool) (any, []any, error) {
			out, err := storage.GetURL(ctx, storage.GetURLInput{
				Path: path, Method: o.Method, ValidateObjectExistence: o.ValidateExistence,
				ExpiresIn:   time.Duration(o.ExpiresIn * float64(time.Second)),
				ContentType: o.ContentType, ContentDisposition: disposition(o.ContentDisposition), CacheControl: o.CacheControl,
				Bucket: bucket,
			})
			if err != nil {
				return nil, nil, err
			}
			return map[string]any{"url": addressOf(out.URL), "expiresAt": isoTime(out.ExpiresAt)}, nil, nil
		}, ""
	case "getProperties":
		return func(ctx context.Context, _ bool) (any, []any, error) {
			p, err := storage.GetProperties(ctx, storage.GetPropertiesInput{
				Path: path, Bucket: bucket,
			})
			if err != nil {
				return nil, nil, err
			}
			v := named(p.Path, p.Key)
			v["size"] = p.Size
			for name, text := range map[string]string{
				"contentType": p.ContentType, "eTag": p.ETag, "versionId": p.VersionID, "lastModified": isoTime(p.LastModified),
			} {
				if text != "" {
					v[name] = text
				}
			}
			if len(p.Metadata) > 0 {
				v["metadata"] = p.Metadata
			}
			return v, nil, nil
		}, ""
	case "list":
		list := storage.ListInput{
			Path: path, PageSize: o.PageSize, NextToken: o.NextToken,
			ExcludeSubpaths: o.Subpaths.Strategy == "exclude", Delimiter: o.Subpaths.Delimiter,
			Bucket: bucket,
		}
		return func(ctx context.Context, _ bool) (any, []any, error) {
			return listed(ctx, list, o.ListAll, js.Path != nil)
		}, ""
	case "uploadData":
		body, notGo := dataOf(js.Data)
		return func(ctx context.Context, progress bool) (any, []any, error) {
			input := storage.UploadDataInput{
				Path: path, Body: body, PreventOverwrite: o.PreventOverwrite, ChecksumAlgorithm: o.ChecksumAlgorithm,
				ContentType: o.ContentType, ContentDisposition: disposition(o.ContentDisposition),
				ContentEncoding: o.ContentEncoding, CacheControl: o.CacheControl, Metadata: o.Metadata,
				Bucket: bucket,
			}
			var told []any
			if progress {
				input.OnProgress = func(p storage.TransferProgress) {
					told = []any{map[string]any{"transferredBytes": p.TransferredBytes, "totalBytes": p.TotalBytes}} // the last
				}
			}
			out, err := storage.UploadData(ctx, input)
			if err != nil {
				return nil, told, err
			}
			v := named(out.Path, out.Key)
			v["contentType"], v["size"] = out.ContentType, out.Size
			for name, text := range map[string]string{"eTag": out.ETag, "versionId": out.VersionID} {
				if text != "" {
					v[name] = text
				}
			}
			return v, told, nil
		}, notGo
	case "remove":
		return func(ctx context.Context, progress bool) (any, []any, error) {
			input := storage.RemoveInput{
				Path: path, Bucket: bucket,
			}
			var told []any
			if progress {
				input.OnProgress = func(p storage.RemoveProgress) {
					deleted, failed := []any{}, []any{}
					for _, path := range p.Removed {
						deleted = append(deleted, map[string]any{"path": path})
					}
					for _, f := range p.Failed {
						failed = append(failed, map[string]any{"path": f.Path, "code": f.Code, "message": f.Message})
					}
					told = append(told, map[string]any{"deleted": deleted, "failed": failed})
				}
			}
			out, err := storage.Remove(ctx, input)
			if err != nil {
				return nil, told, err
			}
			v := named(out.Path, out.Key)
			if out.FolderUnseen != nil {
				v["folderUnseen"] = out.FolderUnseen.(*amplify.Error).Name
			}
			return v, told, nil
		}, ""
	}
	return nil, "a call of " + in.Call
}

// dataOf returns the Go value for what is uploaded.
func dataOf(raw json.RawMessage) (body io.Reader, notGo string) {
	var text string
	if raw == nil || string(raw) == "null" {
		return nil, ""
	}
	if json.Unmarshal(raw, &text) == nil {
		return strings.NewReader(text), ""
	}
	type named struct{ Text, Name, Type string }
	var data struct {
		Bytes       int    `json:"$bytes"`
		ArrayBuffer int    `json:"$arrayBuffer"`
		Blob        *named `json:"$blob"`
		File        *named `json:"$file"`
	}
	if conformance.Decode(raw, &data) != nil {
		return nil, "data that is no io.Reader"
	}
	if blob := cmp.Or(data.Blob, data.File); blob != nil {
		return strings.NewReader(blob.Text), ""
	}
	period := make([]byte, 251)
	for i := range period {
		period[i] = byte(i)
	}
	size := data.Bytes + data.ArrayBuffer
	return bytes.NewBuffer(bytes.Repeat(period, size/len(period)+1)[:size]), ""
}

// listed lists one page or all.
func listed(ctx context.Context, in storage.ListInput, all, byPath bool) (any, []any, error) {
	items, subpaths := []any{}, []any{}
	add := func(i storage.Item) {
		v := named(i.Path, i.Key)
		if i.ETag != "" {
			v["eTag"] = i.ETag
		}
		if text := isoTime(i.LastModified); text != "" {
			v["lastModified"] = text
		}
		v["size"] = i.Size
		items = append(items, v)
	}
	value := map[string]any{}
	if all {
		for item, err := range storage.ListAll(ctx, in) {
			if err != nil {
				return nil, nil, err
			}
			if item.Subpath {
				subpaths = append(subpaths, item.Path)
			} else {
				add(item)
			}
		}
	} else {
		page, err := storage.List(ctx, in)
		if err != nil {
			return nil, nil, err
		}
		for _, item := range page.Items {
			add(item)
		}
		for _, path := range page.ExcludedSubpaths {
			subpaths = append(subpaths, path)
		}
		if page.NextToken != "" {
			value["nextToken"] = page.NextToken
		}
	}
	value["items"] = items
	// The original has the member, empty, where it lists all by path.
	if len(subpaths) > 0 || all && byPath {
		value["excludedSubpaths"] = subpaths
	}
	return value, nil, nil
}

func (in *recordedInput) copyCall() (call recordedCall, notGo string) {
	type side struct {
		Path             json.RawMessage     `json:"path"`
		Key              *string             `json:"key"`
		AccessLevel      storage.AccessLevel `json:"accessLevel"`
		TargetIdentityID string              `json:"targetIdentityId"`
		Bucket           json.RawMessage     `json:"bucket"`
		Owner            string              `json:"expectedBucketOwner"`
		ETag             string              `json:"eTag"`
		NotModifiedSince struct {
			Date time.Time `json:"$date"`
		} `json:"notModifiedSince"`
	}
	var js struct {
		Source      side `json:"source"`
		Destination side `json:"destination"`
		Options     struct {
			TagConfig struct {
				Mode string `json:"mode"`
			} `json:"tagConfig"`
		} `json:"options"`
	}
	if err := conformance.Decode(in.Input, &js); err != nil {
		return nil, err.Error()
	}
	path := func(s side) storage.ObjectPath {
		p, problem := jsPath{Path: s.Path, Key: s.Key, Options: jsOptions{AccessLevel: s.AccessLevel, TargetIdentityID: s.TargetIdentityID}}.objectPath()
		notGo = cmp.Or(notGo, problem)
		return p
	}
	bucket := func(s side) storage.Bucket {
		b := bucketOf(s.Bucket)
		b.ExpectedOwner = s.Owner
		return b
	}
	input := storage.CopyInput{
		Source: storage.CopySource{
			Path: path(js.Source), ETag: js.Source.ETag, NotModifiedSince: js.Source.NotModifiedSince.Date,
			Bucket: bucket(js.Source),
		},
		Destination: storage.CopyDestination{
			Path: path(js.Destination), Bucket: bucket(js.Destination),
		},
		RemoveTags: js.Options.TagConfig.Mode == "remove",
	}
	return func(ctx context.Context, _ bool) (any, []any, error) {
		out, err := storage.Copy(ctx, input)
		if err != nil {
			return nil, nil, err
		}
		return named(out.Path, out.Key), nil, nil
	}, notGo
}

// isoTime writes a time as JavaScript does.
func isoTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
