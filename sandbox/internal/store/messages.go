package store

import "time"

// Message is a message that Cognito would have sent. The store sets ID.
type Message struct {
	ID                                             int64
	Sub, Username, Kind, Medium, To, Subject, Body string
	Code                                           string
	Sent                                           time.Time
}

// AddMessage adds a message.
func (tx *Tx) AddMessage(m Message) error {
	return tx.exec("INSERT INTO messages (sub, value) VALUES (?, ?)", m.Sub, mustJSON(m))
}

// Messages returns at most limit messages, the newest
// first. An empty sub means the messages of all users.
func (tx *Tx) Messages(sub string, limit int) ([]Message, error) {
	return all(tx, func(r scanner) (Message, error) {
		var m Message
		var id int64
		err := r.Scan(&id, asJSON(&m))
		m.ID = id
		return m, err
	}, "SELECT id, value FROM messages WHERE ? IN ('', sub) ORDER BY id DESC LIMIT ?", sub, limit)
}
