package storage_test

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
)

// fakeUpload is a multipart upload of fakeS3.
type fakeUpload struct {
	bucket, key string
	header      http.Header
	parts       map[int]string
}

// uploadAction returns the action of a request that belongs to an upload, or "".
func uploadAction(r *http.Request) string {
	query := r.URL.Query()
	switch {
	case r.Method == http.MethodPost && query.Has("uploads"):
		return "CREATE"
	case r.Method == http.MethodPut && query.Has("partNumber"):
		return "PART"
	case r.Method == http.MethodPost && query.Has("uploadId"):
		return "COMPLETE"
	case r.Method == http.MethodDelete && query.Has("uploadId"):
		return "ABORT"
	case r.Method == http.MethodPut && r.Header.Get("X-Amz-Copy-Source") == "":
		return "PUT"
	}
	return ""
}

// orphans returns how many unfinished uploads there are, and how many parts they have.
func (s *fakeS3) orphans() (uploads, parts int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.uploads {
		parts += len(u.parts)
	}
	return len(s.uploads), parts
}

// object returns the content and the headers of an object in the bucket drive.
func (s *fakeS3) object(key string) (content string, header http.Header, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	content, ok = s.buckets["drive"][key]
	return content, s.headers["drive/"+key], ok
}

func etagOf(content string) string { return fmt.Sprintf("\"%x\"", md5.Sum([]byte(content))) }

func crcOf(content string) string {
	var sum [4]byte
	binary.BigEndian.PutUint32(sum[:], crc32.ChecksumIEEE([]byte(content)))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// upload answers what belongs to uploads. It checks checksums, conditions and parts as S3 does.
func (s *fakeS3) upload(w http.ResponseWriter, r *http.Request, action, bucket, key string, body []byte) {
	id := r.URL.Query().Get("uploadId")
	u := s.uploads[id]
	if u == nil && (action == "PART" || action == "COMPLETE" || action == "ABORT") {
		fail(w, r, http.StatusNotFound, "NoSuchUpload", "The specified upload does not exist.")
		return
	}
	if s.checkHeader != nil {
		s.checkHeader(action, r.Header)
	}
	content := string(body)
	sum := md5.Sum(body)
	if h := r.Header.Get("Content-Md5"); h != "" && h != base64.StdEncoding.EncodeToString(sum[:]) {
		fail(w, r, http.StatusBadRequest, "BadDigest", "The Content-MD5 does not match.")
		return
	}
	if h := r.Header.Get("X-Amz-Checksum-Crc32"); action != "COMPLETE" && h != "" && h != crcOf(content) {
		fail(w, r, http.StatusBadRequest, "BadDigest", "The CRC32 does not match.")
		return
	}
	_, exists := s.buckets[bucket][key]
	if exists && r.Header.Get("If-None-Match") == "*" {
		fail(w, r, http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
		return
	}
	switch action {
	case "PUT":
		s.buckets[bucket][key], s.headers[bucket+"/"+key] = content, r.Header.Clone()
		w.Header().Set("ETag", etagOf(content))
	case "CREATE":
		id = "upload-" + strconv.Itoa(len(s.calls))
		s.uploads[id] = &fakeUpload{bucket, key, r.Header.Clone(), map[int]string{}}
		_, _ = fmt.Fprintf(w, "<InitiateMultipartUploadResult><UploadId>%s</UploadId></InitiateMultipartUploadResult>", id)
	case "PART":
		number, err := strconv.Atoi(r.URL.Query().Get("partNumber"))
		if err != nil || number < 1 || number > 10_000 || int64(len(body)) != r.ContentLength {
			fail(w, r, http.StatusBadRequest, "InvalidArgument", "no part")
			return
		}
		u.parts[number] = content
		w.Header().Set("ETag", etagOf(content))
	case "COMPLETE":
		s.complete(w, r, u, id, body)
	case "ABORT":
		delete(s.uploads, id)
		w.WriteHeader(http.StatusNoContent)
	}
}

// complete answers CompleteMultipartUpload.
func (s *fakeS3) complete(w http.ResponseWriter, r *http.Request, u *fakeUpload, id string, body []byte) {
	var list struct {
		Part []struct {
			PartNumber          int
			ETag, ChecksumCRC32 string
		}
	}
	if err := xml.Unmarshal(body, &list); err != nil || len(list.Part) == 0 {
		fail(w, r, http.StatusBadRequest, "MalformedXML", "no list of parts")
		return
	}
	var whole bytes.Buffer
	for i, p := range list.Part {
		content, ok := u.parts[p.PartNumber]
		switch {
		case !ok, p.ETag != etagOf(content), p.ChecksumCRC32 != "" && p.ChecksumCRC32 != crcOf(content):
			fail(w, r, http.StatusBadRequest, "InvalidPart", "One or more of the specified parts could not be found.")
			return
		case i > 0 && p.PartNumber <= list.Part[i-1].PartNumber:
			fail(w, r, http.StatusBadRequest, "InvalidPartOrder", "The list of parts was not in ascending order.")
			return
		case i < len(list.Part)-1 && len(content) < 5<<20:
			fail(w, r, http.StatusBadRequest, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
			return
		}
		whole.WriteString(content)
	}
	if u.header.Get("X-Amz-Checksum-Type") == "FULL_OBJECT" && r.Header.Get("X-Amz-Checksum-Crc32") != crcOf(whole.String()) {
		fail(w, r, http.StatusBadRequest, "BadDigest", "The CRC32 of the object does not match.")
		return
	}
	delete(s.uploads, id)
	s.buckets[u.bucket][u.key], s.headers[u.bucket+"/"+u.key] = whole.String(), u.header
	_, _ = io.WriteString(w, "<CompleteMultipartUploadResult><ETag>\"whole\"</ETag></CompleteMultipartUploadResult>")
}
