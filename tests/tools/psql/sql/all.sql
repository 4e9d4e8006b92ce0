-- What is run, in this order. psql keeps no books: each file may be run again.
\ir artists.sql
\ir artworks.sql
