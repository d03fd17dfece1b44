-- Makes the services' logins. Run it with psql (14 or later) as a role that may create roles. The passwords come from
-- the environment. The migrations grant the roles their rights. Running it again changes the passwords alone.
\getenv chat_password CHAT_API_DATABASE_PASSWORD
\getenv presence_password PRESENCE_DATABASE_PASSWORD

SELECT format('CREATE ROLE %I', wanted) FROM unnest(ARRAY['messenger_chat', 'messenger_presence']) AS wanted
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) \gexec

ALTER ROLE messenger_chat LOGIN PASSWORD :'chat_password';
ALTER ROLE messenger_presence LOGIN PASSWORD :'presence_password';
