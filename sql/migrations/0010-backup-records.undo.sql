-- ms5: drops audit.backup_drills, audit.restore_points
DROP TABLE audit.backup_drills;
DROP TABLE audit.restore_points;
