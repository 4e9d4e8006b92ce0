-- The words that a curator finds in the lists of a new collection: art types, supports, techniques.
--
-- Rows that exist are never altered, and a name that is there in another case ("huile") is not added again.
-- ON CONFLICT is for a row that somebody else adds at this very moment.


-- Types d'œuvres
-- --------------

INSERT INTO artworks_arttype (name, created_at)
SELECT usual.name, now()
FROM unnest(ARRAY[
    -- arts graphiques
    'Peinture', 'Dessin', 'Estampe', 'Affiche', 'Collage', 'Calligraphie', 'Enluminure', 'Illustration',
    'Bande dessinée', 'Livre d''artiste', 'Miniature',
    -- volume
    'Sculpture', 'Bas-relief', 'Céramique', 'Verrerie', 'Médaille', 'Masque', 'Installation',
    -- image et temps
    'Photographie', 'Art vidéo', 'Art numérique', 'Performance',
    -- arts décoratifs
    'Art textile', 'Mobilier', 'Orfèvrerie', 'Bijou', 'Mosaïque', 'Vitrail', 'Objet d''art',
    -- dans la ville
    'Art urbain'
]) WITH ORDINALITY AS usual (name, place)
WHERE NOT EXISTS (SELECT FROM artworks_arttype AS present WHERE lower(present.name) = lower(usual.name))
ORDER BY usual.place
ON CONFLICT (name) DO NOTHING;


-- Supports
-- --------

INSERT INTO artworks_support (name, created_at)
SELECT usual.name, now()
FROM unnest(ARRAY[
    -- toiles
    'Toile', 'Toile de lin', 'Toile de coton', 'Toile de jute', 'Toile libre', 'Toile marouflée sur panneau',
    'Toile marouflée sur carton', 'Carton toilé',
    -- bois
    'Bois', 'Panneau de bois', 'Panneau de chêne', 'Panneau de peuplier', 'Panneau de tilleul', 'Acajou', 'Noyer',
    'Contreplaqué', 'Médium (MDF)', 'Isorel',
    -- papiers et cartons
    'Papier', 'Papier vélin', 'Papier vergé', 'Papier aquarelle', 'Papier chiffon', 'Papier Japon',
    'Papier de Chine', 'Papier kraft', 'Papier calque', 'Papier journal', 'Papier photographique', 'Papier baryté',
    'Papier marouflé sur toile', 'Carton', 'Carton ondulé', 'Carton plume',
    -- peaux et tissus
    'Parchemin', 'Cuir', 'Soie', 'Velours', 'Laine', 'Feutre',
    -- métaux
    'Cuivre', 'Laiton', 'Bronze', 'Zinc', 'Plomb', 'Fer', 'Acier', 'Acier Corten', 'Aluminium', 'Dibond', 'Argent',
    -- pierres et murs
    'Pierre', 'Marbre', 'Albâtre', 'Ardoise', 'Granit', 'Mur', 'Béton', 'Plâtre',
    -- terres et verres
    'Terre cuite', 'Faïence', 'Grès', 'Porcelaine', 'Verre', 'Cristal',
    -- matières de synthèse et supports immatériels
    'Plexiglas', 'Résine', 'Fibre de verre', 'Bâche', 'Film', 'Fichier numérique'
]) WITH ORDINALITY AS usual (name, place)
WHERE NOT EXISTS (SELECT FROM artworks_support AS present WHERE lower(present.name) = lower(usual.name))
ORDER BY usual.place
ON CONFLICT (name) DO NOTHING;


-- Techniques
-- ----------

INSERT INTO artworks_technique (name, created_at)
SELECT usual.name, now()
FROM unnest(ARRAY[
    -- peinture
    'Huile', 'Acrylique', 'Aquarelle', 'Gouache', 'Tempera', 'Détrempe', 'Caséine', 'Encaustique', 'Fresque',
    'Peinture vinylique', 'Peinture glycéro', 'Peinture aérosol', 'Aérographe', 'Pochoir', 'Laque', 'Émail',
    'Grisaille', 'Lavis', 'Fixé sous verre', 'Technique mixte',
    -- dessin
    'Crayon', 'Mine de plomb', 'Pointe d''argent', 'Fusain', 'Sanguine', 'Pierre noire', 'Craie', 'Trois crayons',
    'Pastel sec', 'Pastel gras', 'Crayon de couleur', 'Encre', 'Encre de Chine', 'Plume', 'Brou de noix', 'Feutre',
    'Stylo à bille',
    -- estampe
    'Burin', 'Pointe sèche', 'Eau-forte', 'Aquatinte', 'Manière noire', 'Vernis mou', 'Gravure sur bois',
    'Gravure sur bois de bout', 'Linogravure', 'Lithographie', 'Chromolithographie', 'Sérigraphie', 'Monotype',
    'Carborundum', 'Gaufrage', 'Héliogravure', 'Offset',
    -- sculpture
    'Taille directe', 'Modelage', 'Moulage', 'Fonte à la cire perdue', 'Fonte au sable', 'Repoussé', 'Ciselure',
    'Soudure', 'Assemblage', 'Impression 3D', 'Patine', 'Dorure à la feuille',
    -- céramique et verre
    'Tournage', 'Raku', 'Engobe', 'Émaillage', 'Verre soufflé', 'Pâte de verre',
    -- photographie
    'Daguerréotype', 'Cyanotype', 'Tirage albuminé', 'Tirage gélatino-argentique', 'Tirage au platine',
    'Tirage chromogène', 'Cibachrome', 'Polaroid', 'Photogramme', 'Photomontage', 'Tirage pigmentaire',
    'Impression jet d''encre',
    -- textile
    'Tapisserie', 'Tissage', 'Broderie', 'Batik', 'Patchwork', 'Teinture',
    -- papier, bois et mur
    'Collage', 'Papier découpé', 'Papier mâché', 'Marqueterie', 'Mosaïque', 'Sgraffite',
    -- image animée et numérique
    'Vidéo', 'Animation', 'Peinture numérique', 'Art génératif', 'Néon'
]) WITH ORDINALITY AS usual (name, place)
WHERE NOT EXISTS (SELECT FROM artworks_technique AS present WHERE lower(present.name) = lower(usual.name))
ORDER BY usual.place
ON CONFLICT (name) DO NOTHING;
