package store

import "time"

// Bucket is a bucket of S3.
type Bucket struct {
	Name, Region string
	Created      time.Time
}

// Object is an object of a bucket.
type Object struct {
	Key      string `json:"-"`
	Size     int64
	ETag     string
	Modified time.Time
	// Header holds what answers repeat: Content-Type and its like, and the user's
	// metadata. The names are in lower case.
	Header map[string]string
	// Checksum is that of the whole object.
	Checksum Checksum
	// Parts are the object's bytes. Its part numbers are their places, from 1.
	Parts []Part
	// Multipart tells that the object was uploaded in parts, if only in one.
	Multipart bool
}

// Checksum is a checksum of some algorithm of package checksum. Type says what it is of.
type Checksum struct{ Algorithm, Type, Value string }

// Part is a part of an object or of an upload.
type Part struct {
	// Blob names the bytes.
	Blob     string
	Size     int64
	ETag     string
	Modified time.Time
	Checksum Checksum
	// CRC64NVME is the part's, whatever the algorithm of Checksum is.
	CRC64NVME string
}

// Upload is a multipart upload in progress.
type Upload struct {
	ID  string `json:"-"`
	Key string `json:"-"`
	// Initiator is who began it.
	Initiator string
	Created   time.Time
	// Header and Checksum will be the object's. The latter's Value is empty.
	Header   map[string]string
	Checksum Checksum
}

// AddBucket adds a bucket. It returns [ErrTaken] if there is one of that name.
func (tx *Tx) AddBucket(b Bucket) error {
	err := tx.execOne("INSERT OR IGNORE INTO buckets (name, region, created) VALUES (?, ?, ?)",
		b.Name, b.Region, b.Created.UnixMilli())
	if err == ErrNotFound {
		return ErrTaken
	}
	return err
}

// DeleteBucket deletes a bucket that has no objects, with its uploads.
func (tx *Tx) DeleteBucket(name string) error {
	return tx.execOne("DELETE FROM buckets WHERE name = ?", name)
}

func scanBucket(r scanner) (b Bucket, err error) {
	err = r.Scan(&b.Name, &b.Region, asTime(&b.Created))
	return b, err
}

// Bucket returns a bucket.
func (tx *Tx) Bucket(name string) (Bucket, error) {
	return one(tx, scanBucket, "SELECT name, region, created FROM buckets WHERE name = ?", name)
}

// Buckets returns all buckets by name.
func (tx *Tx) Buckets() ([]Bucket, error) {
	return all(tx, scanBucket, "SELECT name, region, created FROM buckets ORDER BY name")
}

func scanObject(r scanner) (*Object, error) {
	o := &Object{}
	var key []byte
	err := r.Scan(&key, asJSON(o))
	o.Key = string(key)
	return o, err
}

// PutObject adds an object to a bucket, in place of that with its key.
func (tx *Tx) PutObject(bucket string, o *Object) error {
	return tx.exec("INSERT OR REPLACE INTO objects (bucket, key, record) VALUES (?, ?, ?)", bucket,
		[]byte(o.Key), mustJSON(o))
}

// Object returns an object.
func (tx *Tx) Object(bucket, key string) (*Object, error) {
	return one(tx, scanObject, "SELECT key, record FROM objects WHERE bucket = ? AND key = ?",
		bucket, []byte(key))
}

// DeleteObject deletes an object. It returns [ErrNotFound] if there is none.
func (tx *Tx) DeleteObject(bucket, key string) error {
	return tx.execOne("DELETE FROM objects WHERE bucket = ? AND key = ?", bucket, []byte(key))
}

// Objects returns at most limit objects in the order of their keys,
// beginning with from, and without their parts. No key reaches end,
// unless end is empty.
func (tx *Tx) Objects(bucket, from, end string, limit int) ([]*Object, error) {
	query := "SELECT key, json_remove(record, '$.Parts', '$.Header') FROM objects WHERE bucket = " +
		"? AND key >= ?"
	args := []any{bucket, []byte(from)}
	if end != "" {
		query, args = query+" AND key < ?", append(args, []byte(end))
	}
	return all(tx, scanObject, query+" ORDER BY key LIMIT ?", append(args, limit)...)
}

func scanUpload(r scanner) (*Upload, error) {
	u := &Upload{}
	var key []byte
	err := r.Scan(&u.ID, &key, asJSON(u))
	u.Key = string(key)
	return u, err
}

// AddUpload adds an upload.
func (tx *Tx) AddUpload(bucket string, u *Upload) error {
	return tx.exec("INSERT INTO uploads (bucket, key, id, record) VALUES (?, ?, ?, ?)", bucket,
		[]byte(u.Key), u.ID, mustJSON(u))
}

// Upload returns the upload of an object with that id.
func (tx *Tx) Upload(bucket, key, id string) (*Upload, error) {
	return one(tx, scanUpload, "SELECT id, key, record FROM uploads WHERE bucket = ? AND key = ? "+
		"AND id = ?", bucket, []byte(key), id)
}

// DeleteUpload deletes an upload with its parts.
func (tx *Tx) DeleteUpload(id string) error {
	return tx.exec("DELETE FROM uploads WHERE id = ?", id)
}

// Uploads returns at most limit uploads by key and id: those after id of the key
// from, and those of later keys. No key reaches end, unless end is empty.
func (tx *Tx) Uploads(bucket, from, id, end string, limit int) ([]*Upload, error) {
	query := "SELECT id, key, record FROM uploads WHERE bucket = ? AND (key, id) > (?, ?)"
	args := []any{bucket, []byte(from), id}
	if end != "" {
		query, args = query+" AND key < ?", append(args, []byte(end))
	}
	return all(tx, scanUpload, query+" ORDER BY key, id LIMIT ?", append(args, limit)...)
}

// NumberedPart is a part of an upload, with its number.
type NumberedPart struct {
	Number int
	Part
}

func scanPart(r scanner) (p NumberedPart, err error) {
	err = r.Scan(&p.Number, asJSON(&p.Part))
	return p, err
}

// PutPart adds a part to an upload, in place of that with its number.
func (tx *Tx) PutPart(upload string, p NumberedPart) error {
	return tx.exec("INSERT OR REPLACE INTO upload_parts (upload, number, record) VALUES (?, ?, ?)",
		upload, p.Number, mustJSON(p.Part))
}

// Parts returns at most limit parts of an upload by number, those after the number after.
func (tx *Tx) Parts(upload string, after, limit int) ([]NumberedPart, error) {
	return all(tx, scanPart, "SELECT number, record FROM upload_parts WHERE upload = ? AND "+
		"number > ? ORDER BY number LIMIT ?",
		upload, after, limit)
}

// Part returns a part of an upload.
func (tx *Tx) Part(upload string, number int) (NumberedPart, error) {
	return one(tx, scanPart, "SELECT number, record FROM upload_parts WHERE upload = ? AND "+
		"number = ?", upload, number)
}

// Blobs returns the names of all blobs that objects and parts of uploads consist of.
func (tx *Tx) Blobs() ([]string, error) {
	return all(tx, scanText, `
		SELECT p.value ->> 'Blob' FROM objects o, json_each(o.record, '$.Parts') p
		UNION ALL SELECT record ->> 'Blob' FROM upload_parts`)
}

// BlobsOfUploads returns the names of the blobs of a bucket's uploads.
func (tx *Tx) BlobsOfUploads(bucket string) ([]string, error) {
	return all(tx, scanText, "SELECT p.record ->> 'Blob' FROM uploads u JOIN upload_parts p ON "+
		"p.upload = u.id WHERE u.bucket = ?", bucket)
}

func scanText(r scanner) (text string, err error) {
	err = r.Scan(&text)
	return text, err
}
